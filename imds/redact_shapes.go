package imds

import "strings"

// Shapes of AWS credentials (IAM user guide, "IAM identifiers"; EC2 user
// guide, "Use IMDSv2"). A secret access key is a random string of 40.
const (
	keyIDBytes      = 20 // AKIA or ASIA and 16 more
	tokenStart      = "AQAE"
	minTokenBytes   = 24 // real ones have 56
	secretKeyLength = 40
	// minRandom is how many letters and digits it takes to tell random from
	// meant strings, minJoined how many if they are words joined by symbols.
	minRandom = 20
	minJoined = 32
)

// shapedSecrets adds the spans of what has the shape of a secret. Only runs of
// characters that base64 is written with are looked at (RFC 4648). A short run
// is found from its end, so that most characters need no look.
func shapedSecrets(v view, spans []span) []span {
	for from := 0; from+minRandom <= len(v.text); {
		to := from + minRandom
		if start := base64Start(v.text, from, to); start > from {
			from = start
			continue
		}
		for to < len(v.text) && isBase64(v.text[to]) {
			to++
		}
		spans = shapedIn(v, from, to, spans)
		from = to + 1
	}
	return spans
}

// base64Start returns where the run that ends at to starts, from or later.
func base64Start(s string, from, to int) int {
	for to > from && isBase64(s[to-1]) {
		to--
	}
	return to
}

// shapedIn looks at one run. Runs of lower case, as most paths are, hold
// nothing.
func shapedIn(v view, from, to int, spans []span) []span {
	run := v.text[from:to]
	if !hasUpper(run) {
		return spans
	}
	r := runs{view: v, at: from, run: run, spans: spans}
	r.keyIDs()
	r.tokens()
	r.random()
	r.secretKeys()
	return r.spans
}

// runs finds the secrets in one run.
type runs struct {
	view  view
	at    int // where the run starts in the view
	run   string
	spans []span
}

// add adds run[from:to] and the padding that follows it.
func (r *runs) add(from, to int) {
	from, to = r.at+from, r.at+to
	for to < len(r.view.text) && r.view.text[to] == '=' {
		to++
	}
	r.spans = append(r.spans, r.view.original(from, to))
}

func (r *runs) keyIDs() {
	for i := 0; i+keyIDBytes <= len(r.run); i++ {
		if prefix := r.run[i : i+4]; prefix != "AKIA" && prefix != "ASIA" {
			continue
		}
		end := i + 4
		for end < len(r.run) && (isUpper(r.run[end]) || isDigit(r.run[end])) {
			end++
		}
		if end-i >= keyIDBytes {
			r.add(i, end)
			i = end
		}
	}
}

func (r *runs) tokens() {
	start := strings.Index(r.run, tokenStart)
	if start < 0 {
		return
	}
	end := start
	for end < len(r.run) && r.run[end] != '/' && r.run[end] != '+' {
		end++
	}
	if end-start >= minTokenBytes {
		r.add(start, end)
	}
}

// secretKeys finds random strings of a secret key's length that the run's ends
// or slashes bound.
func (r *runs) secretKeys() {
	for i := 0; i+secretKeyLength <= len(r.run); i++ {
		end := i + secretKeyLength
		starts := i == 0 || isDelimiter(r.run[i-1])
		ends := end == len(r.run) || isDelimiter(r.run[end])
		if starts && ends && !strings.ContainsAny(r.run[i:end], "-_") && textureOf(r.run[i:end]).random(likelyRandom) {
			r.add(i, end)
		}
	}
}

// random finds what looks random: all of the run but the words at its ends,
// or else what stands between words that mean something, as those of a path.
func (r *runs) random() {
	if from, to := r.trim(0, len(r.run)); r.looksRandom(from, to, surelyRandom) {
		r.add(from, to)
		return
	}
	from := 0
	for i := 0; i < len(r.run); {
		end := wordEnd(r.run, i)
		if textureOf(r.run[i:end]).meant() {
			r.between(from, i)
			from = end
		}
		i = max(end, i+1)
	}
	r.between(from, len(r.run))
}

func (r *runs) between(from, to int) {
	from, to = r.trim(from, to)
	if r.looksRandom(from, to, likelyRandom) {
		r.add(from, to)
	}
}

func (r *runs) looksRandom(from, to int, order float64) bool {
	t := textureOf(r.run[from:to])
	joined := t.count < to-from
	return t.random(order) && (!joined || t.count >= minJoined)
}

// trim leaves out symbols and plain words at both ends.
func (r *runs) trim(from, to int) (int, int) {
	for from < to {
		end := min(wordEnd(r.run, from), to)
		if !isPlain(r.run[from:end]) {
			break
		}
		from = max(end, from+1)
	}
	for from < to {
		start := max(wordStart(r.run, to), from)
		if !isPlain(r.run[start:to]) {
			break
		}
		to = min(start, to-1)
	}
	return from, to
}

func wordEnd(s string, from int) int {
	for from < len(s) && isAlnum(s[from]) {
		from++
	}
	return from
}

func wordStart(s string, to int) int {
	for to > 0 && isAlnum(s[to-1]) {
		to--
	}
	return to
}

func isBase64(c byte) bool    { return isAlnum(c) || isDelimiter(c) }
func isDelimiter(c byte) bool { return c == '/' || c == '+' || c == '-' || c == '_' }

func hasUpper(s string) bool {
	for i := range len(s) {
		if isUpper(s[i]) {
			return true
		}
	}
	return false
}
