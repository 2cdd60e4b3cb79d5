package pagetest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// pagesDir is where pages, pictures and prints are left for people to look at.
func pagesDir(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("PAGES")
	if dir == "" {
		dir = "../../build/pages"
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// makePages has the program make a page of each kind, and returns their files.
func makePages(t *testing.T) map[string]string {
	t.Helper()
	pages := map[string]string{}
	for name, args := range map[string][]string{
		"one":        {logFile(t, "one", one(logOf(t, "fleet")))},
		"fleet":      {logFile(t, "fleet", logOf(t, "fleet"))},
		"many":       {logFile(t, "many", many(logOf(t, "fleet"), 200)+logOf(t, "ready"))},
		"thousand":   {logFile(t, "thousand", many(logOf(t, "fleet"), 1000))},
		"ready":      {logFile(t, "ready", logOf(t, "ready"))},
		"not-enough": {"--min-days", "30", logFile(t, "ready", logOf(t, "ready"))},
		"hostile":    {logFile(t, "hostile", logOf(t, "hostile"))},
	} {
		pages[name] = filepath.Join(pagesDir(t), name+".html")
		makePage(t, pages[name], args...)
	}
	return pages
}

func makePage(t *testing.T, file string, args ...string) {
	t.Helper()
	made, err := exec.Command(binary(), append([]string{"report", "--format", "html", "-o", file}, args...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v: %s", file, err, made)
	}
}

// pageOf has the program make a page of a log that is not changed.
func pageOf(t *testing.T, name string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name+".html")
	makePage(t, file, logFile(t, name, logOf(t, name)))
	return file
}

func binary() string {
	if path := os.Getenv("BINARY"); path != "" {
		return path
	}
	return "../../build/imds-analyzer"
}

func logOf(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("../../report/page/testdata", name+".log"))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func logFile(t *testing.T, name, lines string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name+".log")
	if err := os.WriteFile(file, []byte(lines), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

// one leaves the lines of one host.
func one(log string) string {
	var lines strings.Builder
	for line := range strings.Lines(log) {
		if strings.Contains(line, `"web-1"`) {
			lines.WriteString(line)
		}
	}
	return lines.String()
}

// many has the hosts of a log again and again, until there are so many.
func many(log string, hosts int) string {
	var lines strings.Builder
	for n := range (hosts + 2) / 3 {
		lines.WriteString(strings.NewReplacer(
			`"web-1"`, fmt.Sprintf(`"ip-10-1-%d-%d"`, n/256, n%256), `"i-0a1b2c3d4e5f60718"`, fmt.Sprintf(`"i-%017x"`, 1<<32+n),
			`"web-2"`, fmt.Sprintf(`"ip-10-2-%d-%d"`, n/256, n%256), `"i-0a1b2c3d4e5f60719"`, fmt.Sprintf(`"i-%017x"`, 2<<32+n),
			`"batch-1"`, fmt.Sprintf(`"ip-10-3-%d-%d"`, n/256, n%256), `"i-0b1b2c3d4e5f60720"`, fmt.Sprintf(`"i-%017x"`, 3<<32+n),
		).Replace(log))
	}
	return lines.String()
}
