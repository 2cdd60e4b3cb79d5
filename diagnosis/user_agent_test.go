package diagnosis

import (
	"fmt"
	"strings"
	"testing"
)

func productsOf(userAgent string) string {
	var all []string
	for name, version := range products(userAgent) {
		all = append(all, name+"="+version)
	}
	return strings.Join(all, " ")
}

func TestProducts(t *testing.T) {
	for userAgent, want := range map[string]string{
		"":            "",
		"   ":         "",
		"curl/7.88.1": "curl=7.88.1",
		"node":        "node=",
		"rclone/":     "rclone=",
		"(comment)":   "",
		"a(b)c":       "a= c=",
		"/1.0 x/2":    "x=2",
		"s3fs/1.90 (commit hash unknown; GnuTLS(gcrypt))":                             "s3fs=1.90",
		"got (https://github.com/sindresorhus/got)":                                   "got=",
		"x/1 (not (closed) y/2":                                                       "x=1",
		"x/1 ) y/2":                                                                   "x=1 )= y=2",
		"aws-sdk-go/1.55.8 (go1.26.8; linux; amd64)":                                  "aws-sdk-go=1.55.8",
		"aws-sdk-nodejs/2.1692.0 linux/v20.20.2":                                      "aws-sdk-nodejs=2.1692.0 linux=v20.20.2",
		"APN/1.0 HashiCorp/1.0 Terraform/1.5 aws-sdk-go/1.44.1 (go1.19)":              "APN=1.0 HashiCorp=1.0 Terraform=1.5 aws-sdk-go=1.44.1",
		"Boto3/1.42.1 md/Botocore#1.43.42 ua/2.1 os/linux#6.1 lang/python#3.11":       "Boto3=1.42.1 Botocore=1.43.42 ua=2.1 os=linux#6.1 lang=python#3.11",
		"aws-sdk-go-v2/1.17.1 os/linux lang/go/1.19.8 md/GOOS/linux md/x ft/ec2-imds": "aws-sdk-go-v2=1.17.1 os=linux lang=go/1.19.8 GOOS=linux x= ft=ec2-imds",
		"md/ lib/a#1": "a=1",
	} {
		if got := productsOf(userAgent); got != want {
			t.Errorf("%q: %q, want %q", userAgent, got, want)
		}
	}
}

func TestProduct(t *testing.T) {
	for userAgent, want := range map[string]string{
		"": "", "aws-sdk-go/1.55.8 (go1.26.8; linux; amd64)": "aws-sdk-go", "Boto3/1.26.27 Python/3.11.2": "Boto3", "(x) y/1": "y", "undici": "undici",
	} {
		if got := product(userAgent); got != want {
			t.Errorf("%q: %q, want %q", userAgent, got, want)
		}
	}
}

func TestGenericAgent(t *testing.T) {
	generic := []string{
		"", "curl/7.88.1", "Wget/1.21.3", "Wget", "Python-urllib/3.11", "python-requests/2.28.1", "python-urllib3/1.26.12", "python-httpx/0.23.3",
		"Python/3.11 aiohttp/3.8.4", "PycURL/7.45.2 libcurl/7.88.1 GnuTLS/3.7.9", "Go-http-client/1.1", "Java/1.8.0_292", "okhttp/4.9.3", "axios/1.21.1",
		"node", "node-fetch", "undici", "Needle/3.5.0 (Node.js v20.20.2; linux x64)", "got (https://github.com/sindresorhus/got)",
		"Mozilla/5.0 (Windows NT; Windows NT 10.0; en-US) WindowsPowerShell/5.1.17763.2090", "libwww-perl/6.67",
	}
	named := []string{
		"aws-cli/2.9.19", "aws-sdk-go/1.55.8 (go1.26.8; linux; amd64)", "aws-sdk-crt/aws-imds-client", "Boto3/1.26.27 Python/3.11.2", "Cloud-Init/22.4.2",
		"rclone/", "s3fs/1.90 (x)", "aws-sdk-nodejs/2.1692.0 linux/v20.20.2", "aws-sdk-ruby3/3.168.1", "curlish/1.0",
	}
	for _, userAgent := range generic {
		if !isGenericAgent(userAgent) {
			t.Errorf("%q is said to be of one program", userAgent)
		}
	}
	for _, userAgent := range named {
		if isGenericAgent(userAgent) {
			t.Errorf("%q is said to be of any program", userAgent)
		}
	}
}

// FuzzProducts: what is read of a User-Agent stands in it, in order, and no comment
// comes out whole.
func FuzzProducts(f *testing.F) {
	for _, s := range []string{"a/1 (b (c) d) e/2", "md/Botocore#1.43.42", "((((", "))))", "md/ md/# lib//", "x/1(y)z/2", "\t a"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, userAgent string) {
		rest := userAgent
		for name, version := range products(userAgent) {
			at := strings.Index(rest, name)
			if name == "" || at < 0 || strings.ContainsAny(name+version, " \t(") || !strings.Contains(rest[at:], version) {
				t.Fatalf("%q: %q, %q", userAgent, name, version)
			}
			rest = rest[at+len(name):]
		}
		if first := product(userAgent); first != "" && !strings.Contains(userAgent, first) {
			t.Errorf("%q: %q", userAgent, first)
		}
		isGenericAgent(userAgent)
		Recognise(userAgent, nil)
	})
}

// A User-Agent that anybody sends can name any number of products, and of each it may depend on
// the others what it says.
func TestProductsAreBounded(t *testing.T) {
	tests := []struct{ name, part string }{
		{"products", "Boto3/999 "},
		{"products with comments", "Boto3/999 (a) "},
		{"words without a name", "/999 "},
	}
	for _, test := range tests {
		for _, n := range []int{1, maxProducts, 1000} {
			t.Run(fmt.Sprintf("%d %s", n, test.name), func(t *testing.T) {
				seen := 0
				for name := range products(strings.Repeat(test.part, n) + "Botocore/1.29.27") {
					if seen++; name == "Botocore" && n >= maxProducts {
						t.Errorf("product %d is looked at", n+1)
					}
				}
				if seen > maxProducts {
					t.Errorf("%d products are looked at", seen)
				}
			})
		}
	}
}
