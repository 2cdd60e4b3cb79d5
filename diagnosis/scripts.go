package diagnosis

import (
	"path"
	"strings"

	"imds-analyzer/attribution"
	"imds-analyzer/identity"
)

// The tools with which scripts call the service, as Lines knows them.
const (
	Curl       = "curl"
	Wget       = "wget"
	Python     = "python"
	Ruby       = "ruby"
	Perl       = "perl"
	PHP        = "php"
	PowerShell = "powershell"
	Shell      = "shell"
)

// toolAgents are the products that the User-Agents of these tools begin with, or of the
// libraries that come with them and are mostly used, in lower case.
var toolAgents = map[string]string{
	"curl": Curl,
	"wget": Wget, "wget2": Wget,
	"python-urllib": Python, "python-requests": Python, "python-urllib3": Python, "python-httpx": Python, "python": Python, "pycurl": Python, "aiohttp": Python,
	"ruby":        Ruby,
	"libwww-perl": Perl, "lwp-request": Perl, "lwp::simple": Perl, "http-tiny": Perl,
	"php": PHP,
}

// toolPrograms are the tools by identity.ProgramName of their executables.
var toolPrograms = map[string]string{
	"curl":   Curl,
	"wget":   Wget,
	"python": Python, "pypy": Python,
	"ruby": Ruby,
	"perl": Perl,
	"php":  PHP, "php-fpm": PHP, "php-cgi": PHP,
	"pwsh": PowerShell, "powershell": PowerShell,
	"sh": Shell, "bash": Shell, "dash": Shell, "ash": Shell, "zsh": Shell, "ksh": Shell,
}

// Tool names the tool with which a script has made a call: by the process, if that is
// known, or else by the User-Agent. It is empty if it was none of those, and for
// programs in the language of one that call themselves by another name.
func Tool(userAgent string, p *attribution.Process) string {
	if p == nil {
		return toolOf(userAgent)
	}
	switch tool := toolRunBy(p); tool {
	case Curl, Wget:
		return tool
	case "":
		return toolOf(userAgent) // in a program of its own, or by a shared library
	default:
		if isGenericAgent(userAgent) {
			return tool
		}
		return toolOf(userAgent)
	}
}

// toolOf is the tool that a User-Agent names. PowerShell calls itself a browser first.
func toolOf(userAgent string) string {
	first := product(userAgent)
	if strings.EqualFold(first, "Mozilla") {
		for name := range products(userAgent) {
			if strings.EqualFold(name, "WindowsPowerShell") || strings.EqualFold(name, "PowerShell") {
				return PowerShell
			}
		}
	}
	return toolAgents[strings.ToLower(first)]
}

// toolRunBy is the tool that a process runs. Busybox is known by the name that it was
// called by.
func toolRunBy(p *attribution.Process) string {
	name := identity.ProgramName(path.Base(p.Executable))
	if p.Executable == "" || name == "busybox" || name == "toybox" {
		name = identity.ProgramName(p.Name)
	}
	return toolPrograms[name]
}
