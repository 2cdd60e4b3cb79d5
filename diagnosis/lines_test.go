package diagnosis

import (
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"testing"
)

// standIn is a service that has version 1 disabled, and gives tokens if tokens is true.
func standIn(t *testing.T, tokens bool) string {
	t.Helper()
	const token = "AQAEAHxT8b_q0ZcK5nYwPm3RfVdLgXoE7sUiJtB2-hN9yCqWkA4vzQ=="
	mux := http.NewServeMux()
	mux.HandleFunc("PUT /latest/api/token", func(w http.ResponseWriter, r *http.Request) {
		switch {
		case !tokens:
			http.Error(w, "no", http.StatusForbidden)
		case r.Header.Get("X-aws-ec2-metadata-token-ttl-seconds") != "300":
			http.Error(w, "no", http.StatusBadRequest)
		default:
			_, _ = w.Write([]byte(token))
		}
	})
	mux.HandleFunc("GET /latest/meta-data/instance-id", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-aws-ec2-metadata-token") != token {
			http.Error(w, "no", http.StatusUnauthorized)
			return
		}
		_, _ = w.Write([]byte("i-0123456789abcdef0"))
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL
}

var linesTests = []struct{ tool, interpreter string }{{Curl, "sh"}, {Wget, "sh"}, {Python, "python3"}}

// runLines runs the lines of a tool against a stand-in, and returns what they say on
// standard output.
func runLines(t *testing.T, tool, interpreter, service string) (string, error) {
	t.Helper()
	cmd := exec.Command(interpreter, "-c", strings.ReplaceAll(Lines(tool), "http://169.254.169.254", service))
	cmd.Env = append(cmd.Environ(), "no_proxy=*")
	out, err := cmd.Output()
	return strings.TrimSpace(string(out)), err
}

func TestLinesWork(t *testing.T) {
	service := standIn(t, true)
	for _, tt := range linesTests {
		if out, err := runLines(t, tt.tool, tt.interpreter, service); err != nil || out != "i-0123456789abcdef0" {
			t.Errorf("%s: %q, %v", tt.tool, out, err)
		}
	}
}

// Without a token they do not go on.
func TestLinesStopWithoutToken(t *testing.T) {
	service := standIn(t, false)
	for _, tt := range linesTests {
		if out, err := runLines(t, tt.tool, tt.interpreter, service); err == nil || out != "" {
			t.Errorf("%s: %q, %v", tt.tool, out, err)
		}
	}
}

func TestLinesOfTools(t *testing.T) {
	for _, tool := range []string{Curl, Wget, Python, PowerShell, Shell} {
		if lines := Lines(tool); !strings.Contains(lines, "PUT") || !strings.Contains(lines, "300") {
			t.Errorf("%s: %q", tool, lines)
		}
	}
	for _, tool := range []string{Ruby, Perl, PHP, "", "telnet"} {
		if lines := Lines(tool); lines != "" {
			t.Errorf("%s: %q", tool, lines)
		}
	}
}
