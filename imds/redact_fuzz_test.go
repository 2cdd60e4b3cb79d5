package imds

import (
	"strings"
	"testing"
)

func FuzzRedact(f *testing.F) {
	for _, s := range []string{
		"", "/latest/meta-data/", "/?token%3D" + testToken, "%25%34%31KIA", `{"Token":"abc"}`,
		"Authorization: Bearer abc", testKey, testSession, "http://u:p@h/", `password='a"b\'c`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		once := Redact(s)
		if twice := Redact(once); twice != once {
			t.Errorf("not idempotent: %q, %q, %q", s, once, twice)
		}
		if again := RedactArgs(RedactArgs([]string{s, s, s})); len(again) != 3 {
			t.Errorf("%d arguments of 3", len(again))
		}
	})
}

// A secret that stands between delimiters is found whatever is around it, and
// however it is encoded.
func FuzzRedactPlanted(f *testing.F) {
	for kind := range uint8(6) {
		f.Add("curl/7.88 ", "/latest", kind, kind)
		f.Add("/latest/meta-data/iam", "?x=1&token=", kind, kind+3)
		f.Add(`{"a":`, `"\'%`, kind, kind+6)
	}
	f.Fuzz(func(t *testing.T, before, after string, kind, how uint8) {
		planted := []string{testKeyID, testKey, testToken, testSession, "password=hunter2!x", "X-Token: Tr0ub4dor"}
		secret := planted[int(kind)%len(planted)]
		delimiter := []string{" ", "&", "?", ",", "\n", "%20", "%26", "%2522"}[int(how)/3%8]
		text := before + delimiter + percentEncode(secret, int(how)%3) + delimiter + after
		if strings.Contains(before+after, secret) {
			return
		}
		_, value, found := strings.Cut(secret, "=")
		if !found || value == "=" || value == "" {
			value = strings.TrimPrefix(secret, "X-Token: ")
		}
		out := Redact(text)
		if strings.Contains(decode(out).text, value) || strings.Contains(out, value) {
			t.Errorf("%q\nbecame %q", text, out)
		}
	})
}
