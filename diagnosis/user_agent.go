package diagnosis

import (
	"iter"
	"strings"
)

// maxProducts bounds what is looked at of a User-Agent: AWS's SDKs name some twenty. For one of
// them all others may be looked at again.
const maxProducts = 64

// products are what a User-Agent names, with their versions, in its order (RFC 9110,
// section 10.1.5): "Boto3/1.26.27 Python/3.11.2 Botocore/1.29.27". Comments are passed
// over. In the newer form of AWS's SDKs a library stands behind a word for what it is:
// "md/Botocore#1.43.42". A version that is not there is empty.
func products(userAgent string) iter.Seq2[string, string] {
	return func(yield func(name, version string) bool) {
		rest := userAgent
		for range maxProducts {
			var word string
			if word, rest = nextWord(rest); word == "" {
				return
			}
			if name, version := splitProduct(word); name != "" && !yield(name, version) {
				return
			}
		}
	}
}

// nextWord returns the first word that is no comment.
func nextWord(s string) (word, rest string) {
	for {
		s = strings.TrimLeft(s, " \t")
		if s == "" || s[0] != '(' {
			break
		}
		s = afterComment(s)
	}
	end := strings.IndexAny(s, " \t(")
	if end < 0 {
		return s, ""
	}
	return s[:end], s[end:]
}

// afterComment is what follows the comment at the beginning, which can hold others.
func afterComment(s string) string {
	depth := 0
	for i := range len(s) {
		switch s[i] {
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return s[i+1:]
			}
		}
	}
	return ""
}

// splitProduct splits name/version and kind/name#version; older SDKs have a slash in
// the place of the number sign.
func splitProduct(word string) (name, version string) {
	name, version, _ = strings.Cut(word, "/")
	if name != "md" && name != "lib" {
		return name, version
	}
	library := version
	if i := strings.IndexAny(library, "#/"); i >= 0 {
		return library[:i], library[i+1:]
	}
	return library, ""
}

// product is the name of the first product in a User-Agent, empty if there is none.
func product(userAgent string) string {
	for name := range products(userAgent) {
		return name
	}
	return ""
}

// genericAgents are the products that User-Agents of tools and libraries begin with
// which any program can use, in lower case. They do not say which program it is.
var genericAgents = map[string]bool{
	"curl": true, "wget": true, "httpie": true, "xh": true,
	"python": true, "python-urllib": true, "python-requests": true, "python-urllib3": true, "python-httpx": true, "aiohttp": true, "pycurl": true,
	"go-http-client": true, "fasthttp": true, "go-resty": true,
	"java": true, "java-http-client": true, "apache-httpclient": true, "okhttp": true, "jersey": true, "reactornetty": true, "asynchttpclient": true,
	"node": true, "node.js": true, "node-fetch": true, "undici": true, "axios": true, "got": true, "needle": true, "superagent": true, "node-superagent": true, "deno": true, "bun": true,
	"ruby": true, "faraday": true, "http.rb": true, "rest-client": true, "typhoeus": true,
	"libwww-perl": true, "lwp": true, "lwp::simple": true, "http-tiny": true, "mojolicious": true,
	"php": true, "guzzlehttp": true, "reqwest": true, "hyper": true, "ureq": true, "mozilla": true, "libcurl": true, "libcurl-agent": true,
}

// isGenericAgent reports whether a User-Agent does not tell which program sent it. One
// that is empty does not.
func isGenericAgent(userAgent string) bool {
	name := product(userAgent)
	return name == "" || genericAgents[strings.ToLower(name)]
}
