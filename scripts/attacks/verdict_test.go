package main

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"
	"time"
)

func entryOf(t *testing.T, text string) entry {
	t.Helper()
	var e entry
	if err := json.Unmarshal([]byte(text), &e); err != nil {
		t.Fatal(err)
	}
	return e
}

// What is true, and the lines that say so.
const (
	callLine = `{"event":{"dataset":"imds.call"},"imds":{"version":"v1","token_request":false},"http":{"request":{"method":"GET"},"response":{"status_code":200}},` +
		`"url":{"original":"/latest/meta-data/honest/1"},"source":{"ip":"10.0.0.1","port":20001},"user":{"id":"0"},` +
		`"process":{"pid":42,"name":"exe","executable":"/attacks","args":["exe","client"],"start":"2026-01-01T00:00:10Z","parent":{"pid":41}}}`
	path = honestPath + "1"
)

var (
	tokenCall = strings.NewReplacer("v1", "v2").Replace(callLine)
	tokenLine = strings.NewReplacer("v1", "v2", `"token_request":false`, `"token_request":true`, "GET", "PUT", path, honestToken+path).Replace(callLine)
)

func trueClient() client {
	at := time.Date(2026, 1, 1, 0, 0, 10, 0, time.UTC)
	return client{process: process{PID: 42, Name: "exe", Executable: "/attacks"}, Args: []string{"exe", "client"}, UserID: "0", Parent: 41, After: at, Before: at}
}

// verdictOn is that of an attack of which nothing is wrong but the lines.
func verdictOn(t *testing.T, v2 bool, lines ...string) *verdict {
	t.Helper()
	var log []entry
	for _, text := range lines {
		log = append(log, entryOf(t, text))
	}
	a := access{From: "10.0.0.1:20001", Target: path, Method: "GET", V2: v2}
	v := judge(log, served{Log: []access{a}}, map[string]client{path: trueClient()})
	v.PeakRSS, v.Due, v.LeastHonest = maxRSS, 1, leastHonest
	v.Notes, v.AtLeast = map[string]uint64{"packets": 5}, map[string]uint64{"packets": 5}
	return v
}

// checkFault checks whether a verdict has the fault that it should, and says so in its row.
func checkFault(t *testing.T, v *verdict, fault string) {
	t.Helper()
	faults := strings.Join(v.faults(), "\n")
	if fault == "" && faults != "" || !strings.Contains(faults, fault) {
		t.Errorf("faults %q, want %q", faults, fault)
	}
	if pass := strings.HasSuffix(v.row("x"), "| pass |"); pass != (fault == "") {
		t.Errorf("row %q", v.row("x"))
	}
}

func TestJudgeCall(t *testing.T) {
	with := func(old, new string) []string { return []string{strings.Replace(callLine, old, new, 1)} }
	for _, tt := range []struct {
		name  string
		log   []string
		fault string // "" for none
	}{
		{"all there", []string{callLine}, ""},
		{"not there", nil, "0 reported, 0 of the right process: 1 unknown, 0 wrong"},
		{"twice there", []string{callLine, callLine}, "told 2 times"},
		{"of another version", with(`"v1"`, `"v2"`), "version v1 is told as v2"},
		{"of no version", with(`"v1"`, `"unknown"`), "1 unknown, 0 wrong"},
		{"as a token request", with(`"token_request":false`, `"token_request":true`), "token request false is told as true"},
		{"of another method", with("GET", "PUT"), "method GET is told as PUT"},
		{"without its answer", with("200", "0"), "1 unknown, 0 wrong"},
		{"with another answer", with("200", "404"), "status 200 is told as 404"},
		{"from elsewhere", with("20001", "20002"), "client 10.0.0.1:20001 is told as 10.0.0.1:20002"},
		{"of another process", with(`"pid":42`, `"pid":43`), "pid 42 is told as 43"},
		{"of no process", with(`"pid":42`, `"pid":0`), "1 reported, 0 of the right process: 1 unknown, 0 wrong"},
		{"of another executable", with(`"/attacks"`, `"/bin/sh"`), "executable /attacks is told as /bin/sh"},
		{"of another name", with(`"exe"`, `"sh"`), "name exe is told as sh"},
		{"of another user", with(`"id":"0"`, `"id":"4242"`), "user 0 is told as 4242"},
		{"with other arguments", with(`"client"`, `"flood"`), "arguments true is told as false"},
		{"without arguments", with(`"args":["exe","client"],`, ""), ""},
		{"started at another time", with("00:00:10", "00:00:12"), "start in time true is told as false"},
		{"started before", with("00:00:10", "00:00:08"), "start in time true is told as false"},
		{"started at no time", with(`"start":"2026-01-01T00:00:10Z",`, ""), ""},
		{"of another parent", with(`"pid":41`, `"pid":1`), "parent 41 is told as 1"},
		{"of no parent", with(`,"parent":{"pid":41}`, ""), ""},
		{"without executable", with(`"/attacks"`, `""`), "told without executable"},
	} {
		t.Run(tt.name, func(t *testing.T) { checkFault(t, verdictOn(t, false, tt.log...), tt.fault) })
	}
}

func TestJudgeToken(t *testing.T) {
	folded := `{"event":{"dataset":"imds.call"},"imds":{"version":"v2","token_request":true,"folded":{"calls":1}},"source":{"ip":"10.0.0.1"}}`
	for _, tt := range []struct {
		name  string
		log   []string
		fault string
	}{
		{"both there", []string{tokenLine, tokenCall}, ""},
		{"no token request", []string{tokenCall}, "token request: not told"},
		{"told with others", []string{tokenCall, folded}, ""},
		{"told twice", []string{tokenCall, tokenLine, tokenLine}, "token request: told 2 times"},
		{"of another process", []string{tokenCall, strings.Replace(tokenLine, `"pid":42`, `"pid":43`, 1)}, "token request: pid 42 is told as 43"},
		{"as no token request", []string{tokenCall, strings.Replace(tokenLine, "true", "false", 1)}, "token request true is told as false"},
		{"as v1", []string{tokenLine, callLine}, "version v2 is told as v1"},
	} {
		t.Run(tt.name, func(t *testing.T) { checkFault(t, verdictOn(t, true, tt.log...), tt.fault) })
	}
}

// A line that tells of one token request with others stands for no second one.
func TestJudgeTokensFolded(t *testing.T) {
	folded := `{"event":{"dataset":"imds.call"},"imds":{"version":"v2","token_request":true,"folded":{"calls":1}},"source":{"ip":"10.0.0.1"}}`
	another := strings.ReplaceAll(tokenCall, path, path+"2")
	clients := map[string]client{path: trueClient(), path + "2": trueClient()}
	calls := []access{{From: "10.0.0.1:20001", Target: path, Method: "GET", V2: true}, {From: "10.0.0.1:20001", Target: path + "2", Method: "GET", V2: true}}
	v := judge([]entry{entryOf(t, tokenCall), entryOf(t, another), entryOf(t, folded)}, served{Log: calls}, clients)
	if v.Made != 2 || v.Right != 1 || v.Unknown != 1 {
		t.Errorf("%d made, %d right, %d unknown, want 2, 1, 1", v.Made, v.Right, v.Unknown)
	}
}

// An attack that did nothing, or in which there were no honest clients, is none.
func TestVerdictFloors(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(v *verdict)
		fault  string
	}{
		{"as it has to be", func(*verdict) {}, ""},
		{"too much memory", func(v *verdict) { v.PeakRSS++ }, "more than 64 MiB"},
		{"no memory", func(v *verdict) { v.PeakRSS = 0 }, "its memory is not known"},
		{"no honest calls", func(v *verdict) { v.Made, v.Due = 0, 0 }, "0 honest calls were made"},
		{"few honest calls", func(v *verdict) { v.Due = 2 }, "1 honest calls were made where there was time for 2, of which 80 %"},
		{"few, but as many as can be", func(v *verdict) { v.Due, v.LeastHonest = 2, 0.4 }, ""},
		{"little of an attack", func(v *verdict) { v.Notes["packets"] = 4 }, "no attack: packets 4, and not 5"},
		{"no attack", func(v *verdict) { v.Notes = nil }, "no attack: packets 0, and not 5"},
		{"an attack of which nothing is asked", func(v *verdict) { v.AtLeast = nil }, "it is not said what the attack must have done"},
		{"another fault", func(v *verdict) { v.Other = []string{"another"} }, "another"},
		{"no verdict", func(v *verdict) { v.Failed = "it ended" }, "it ended"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v := verdictOn(t, false, callLine)
			tt.change(v)
			checkFault(t, v, tt.fault)
		})
	}
}

// What is unknown is forgiven if the attack is faster than can be, and the kernel had no
// room for as many packets; what is wrong never is.
func TestVerdictLoss(t *testing.T) {
	wrong := strings.Replace(callLine, `"pid":42`, `"pid":43`, 1)
	noProcess := strings.Replace(callLine, `"pid":42`, `"pid":0`, 1)
	for _, tt := range []struct {
		name    string
		mayLose bool
		dropped int
		lines   []string
		fault   string
	}{
		{"missing, and dropped", true, 1, nil, ""},
		{"of no process, and dropped", true, 1, []string{noProcess}, ""},
		{"missing, and nothing dropped", true, 0, nil, "1 unknown"},
		{"missing, and slow", false, 1, nil, "1 unknown"},
		{"wrong, and dropped", true, 1000, []string{wrong}, "pid 42 is told as 43"},
		{"twice, and dropped", true, 1000, []string{callLine, callLine}, "told 2 times"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			last := `{"event":{"dataset":"imds.capture"},"imds":{"capture":{"packets_dropped_kernel":` + strconv.Itoa(tt.dropped) + `}}}`
			v := verdictOn(t, false, append(tt.lines, last)...)
			v.MayLose = tt.mayLose
			checkFault(t, v, tt.fault)
		})
	}
	v := verdictOn(t, false)
	v.MayLose, v.Unknown, v.Counts.DroppedKernel = true, 3, 2
	checkFault(t, v, "3 unknown, 0 wrong, with 2 packets dropped")
}

func TestAttackersCalls(t *testing.T) {
	line := func(ip string, folded int) string {
		return `{"event":{"dataset":"imds.call"},"imds":{"version":"v1","folded":{"calls":` + strconv.Itoa(folded) + `}},"source":{"ip":"` + ip + `"}}`
	}
	v := verdictOn(t, false, line("10.2.0.1", 0), line("10.128.0.1", 40), line("10.0.0.9", 7), callLine)
	if v.OthersReported != 41 {
		t.Errorf("%d calls of the attacker are told, want 41", v.OthersReported)
	}
}
