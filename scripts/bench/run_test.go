package main

import (
	"encoding/json"
	"errors"
	"testing"
)

func TestJudge(t *testing.T) {
	start, end := entry{}, entry{}
	start.Event.Action, start.IMDS.Capture.Methods = captureStarted, []string{"sock_diag"}
	end.Event.Action, end.IMDS.Capture.Dropped = captureStopped, 7
	broken := errors.New("broken")
	r, err := judge("sock_diag", madeBy(1, caller()), func(take func(entry)) error {
		take(start)
		take(logged(t, firstCall, func(e *entry) { e.Process.PID, e.Process.Executable = 1, "" }))
		take(end)
		return broken
	})
	if !errors.Is(err, broken) {
		t.Error(err)
	}
	if r.Dropped != 7 || len(r.Methods) != 1 || len(r.Rows) != 1 || r.wrong() != 1 {
		t.Errorf("%+v", r)
	}
	text, err := json.Marshal(r)
	want := `{"way":"sock_diag","methods":["sock_diag"],"packets_dropped":7,"strays":0,"cells":[` +
		`{"topology":"bridge","kind":"get","at_once":1,"more_processes":0,"client_ms":1,"calls":1,"missing":0,"seen_twice":0,` +
		`"pid":{"right":0,"wrong":1,"none":0,"shared":0,"inferred_right":0,"inferred_wrong":0},` +
		`"args":{"right":1,"wrong":0,"none":0},"user":{"right":1,"wrong":0,"none":0},"executable":{"right":0,"wrong":0,"none":1},"container":{"right":1,"wrong":0,"none":0}}]}`
	if err != nil || string(text) != want {
		t.Errorf("%v, %s\nnot %s", err, text, want)
	}
}
