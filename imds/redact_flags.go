package imds

import "strings"

// flagSecrets adds the spans of values behind flags that say that they are secret, as in
// mysql --password VALUE: what RedactArgs finds among arguments, in a text that is not cut
// into arguments, such as the commands of sh -c.
func flagSecrets(v *indexed, spans []span) []span {
	curl := indexFrom(v.text, "curl", 0)
	for i := 0; i < len(v.text); i++ {
		if v.text[i] != '-' || i > 0 && !beginsWord(v.text[i-1]) {
			continue
		}
		end := i
		for end < len(v.text) && isNameChar(v.text[end]) {
			end++
		}
		if end < len(v.text) && isBlank(v.text[end]) && isSecretName(v.text[i:end]) {
			if from, to := v.value(end, spansBlanks(v.text[i:end])); from < to && !isFlag(v.text[from:to]) {
				spans = append(spans, v.original(from, to))
			}
		} else if at := loginIn(v.text[i:end]); at > 0 && curl < i {
			spans = v.loginSecret(i+at, spans)
		}
		i = end - 1
	}
	return spans
}

// loginSecret adds the password of a USER:PASSWORD that begins there, or behind blanks.
func (v *indexed) loginSecret(at int, spans []span) []span {
	for at < len(v.text) && isBlank(v.text[at]) {
		at++
	}
	_, to := v.value(at, false)
	password := at + strings.IndexByte(v.text[at:to], ':') + 1
	if password == at || password >= to {
		return spans
	}
	return append(spans, v.original(password, to))
}

// beginsWord reports whether a word of a shell can begin behind the sign.
func beginsWord(c byte) bool { return isBlank(c) || strings.IndexByte("\"'`(", c) >= 0 }
