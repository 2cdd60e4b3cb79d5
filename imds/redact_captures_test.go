package imds

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// What real clients send is no secret: in the captures' truth there is none.
func TestRedactKeepsRealTraffic(t *testing.T) {
	files, err := filepath.Glob("../testdata/captures/*.truth.jsonl")
	if err != nil || len(files) == 0 {
		t.Fatalf("no captures: %v", err)
	}
	for _, name := range files {
		checkTruthUnchanged(t, name)
	}
}

func checkTruthUnchanged(t *testing.T, name string) {
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var truth struct {
			Path      string `json:"path"`
			UserAgent string `json:"user_agent"`
		}
		if err := json.Unmarshal(lines.Bytes(), &truth); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		checkRedact(t, truth.Path, truth.Path)
		checkRedact(t, truth.UserAgent, truth.UserAgent)
	}
	if err := lines.Err(); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}
