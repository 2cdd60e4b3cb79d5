package cli_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"imds-analyzer/capture"
	"imds-analyzer/capture/packettest"
	"imds-analyzer/imds"
)

// Captures of programs that tell the process, made here from what is known of their
// forms, through the whole program.

// withComments are packets of which those of the client, and those of the service, have
// a comment.
func withComments(c *packettest.Conversation, client, service string) []capture.Packet {
	var packets []capture.Packet
	for _, s := range c.Trace() {
		p := s.Packet()
		p.Comment = service
		if s.FromClient {
			p.Comment = client
		}
		packets = append(packets, p)
	}
	return packets
}

// pcapngOf is a file with the packets.
func pcapngOf(t *testing.T, packets []capture.Packet) string {
	t.Helper()
	var file bytes.Buffer
	w, err := capture.NewPcapngWriter(&file, "test")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range packets {
		if err := w.WritePacket(p); err != nil {
			t.Fatal(err)
		}
	}
	return file.String()
}

// pcapOf is a pcap file with the packets, of that link type (pcap-savefile(5)).
func pcapOf(link capture.LinkType, packets []capture.Packet) string {
	le := binary.LittleEndian
	file := le.AppendUint32(nil, 0xa1b2c3d4)
	file = append(file, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0)
	file = le.AppendUint32(file, 262144)
	file = le.AppendUint32(file, uint32(link))
	for _, p := range packets {
		file = le.AppendUint32(file, uint32(p.Time.Unix()))
		file = le.AppendUint32(file, uint32(p.Time.Nanosecond()/1000))
		file = le.AppendUint32(file, uint32(len(p.Data)))
		file = le.AppendUint32(file, uint32(p.Length))
		file = append(file, p.Data...)
	}
	return string(file)
}

// appleOf is a file as Apple's tcpdump writes it: a block for a process, and packets
// that name it by its place (Wireshark, "Darwin Process Event Block").
func appleOf(packets []capture.Packet) string {
	le := binary.LittleEndian
	block := func(kind uint32, body []byte) []byte {
		body = append(body, make([]byte, -len(body)&3)...)
		length := uint32(len(body) + 12)
		b := le.AppendUint32(le.AppendUint32(nil, kind), length)
		return le.AppendUint32(append(b, body...), length)
	}
	file := block(0x0a0d0d0a, []byte("\x4d\x3c\x2b\x1a\x01\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff"))
	file = append(file, block(1, []byte("\x01\x00\x00\x00\x00\x00\x04\x00\x02\x00\x03\x00en0\x00\x00\x00\x00\x00"))...)
	file = append(file, block(0x80000001, []byte("\x4d\x00\x00\x00\x02\x00\x04\x00curl\x00\x00\x00\x00"))...)
	for _, p := range packets {
		us := uint64(p.Time.UnixMicro())
		body := le.AppendUint32(nil, 0)
		body = le.AppendUint32(le.AppendUint32(body, uint32(us>>32)), uint32(us))
		body = le.AppendUint32(le.AppendUint32(body, uint32(len(p.Data))), uint32(p.Length))
		body = append(body, p.Data...)
		body = append(body, make([]byte, -len(p.Data)&3)...)
		body = append(body, "\x01\x80\x04\x00\x00\x00\x00\x00\x02\x00\x04\x00\x02\x00\x00\x00\x00\x00\x00\x00"...)
		file = append(file, block(6, body)...)
	}
	return string(file)
}

const ptcpdumpSays = "PID: 553587\nCmd: /usr/bin/wget\nArgs: wget --password hunter2 x; y\nThreadId: 553587\nThreadName: wget\nUserId: 1000\nGroupId: 1000\n" +
	"ParentPID: 553296\nParentCmd: /bin/sh\nParentArgs: sh\n" +
	"ContainerName: test\nContainerId: d9028334568bf75a5a084963a8f98f78c56bba7f45f823b3780a135b71b91e95\n" +
	"ContainerImage: docker.io/library/alpine:3.18\nContainerLabels: {\"password\":\"hunter2\"}\n" +
	"PodName: test-1\nPodNamespace: default\nPodUID: 9e4bc54b-de48-4b1c-8b9e-54709f67ed0c\nPodLabels: {}\nPodAnnotations: {}"

// carriedFiles are files of other programs, and what is made of their caller.
func carriedFiles(t *testing.T) []carriedFile {
	one := func(edit func(c *packettest.Conversation)) *packettest.Conversation {
		c := packettest.New()
		if edit != nil {
			edit(c)
		}
		c.Open()
		c.Client("GET /latest/user-data HTTP/1.1\r\nHost: 169.254.169.254\r\n\r\n")
		c.Server("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
		c.Close()
		return c
	}
	tap := packettest.Pktap{
		Interface: "en0", Sender: imds.Sender{PID: 77, Name: "nsurlsessiond", ForPID: 78, ForName: "App"},
		Flags: packettest.PktapOutbound, Inner: packettest.Ethernet(),
	}
	pktap := one(func(c *packettest.Conversation) { c.Link = tap.First() }).Packets()
	return []carriedFile{
		{
			"etl2pcapng", pcapngOf(t, withComments(one(nil), "PID=4712 TID=4716", "PID=99 TID=1")),
			`{"imds":{"attribution":{"status":"inferred","method":"capture_comment"}},"process":{"pid":4712}}`,
			"process[4712]?", "executable not known: 1 v1\n", "Process uncertain: inferred, may be wrong (1)\n",
		},
		{
			"ptcpdump", pcapngOf(t, withComments(one(nil), ptcpdumpSays, strings.Replace(ptcpdumpSays, "553587", "99", 1))),
			`{"imds":{"attribution":{"status":"inferred","method":"capture_comment"},"ancestors":[{"pid":553296,"executable":"/bin/sh","command_line":"sh"}]},
			"process":{"pid":553587,"executable":"/usr/bin/wget","command_line":"wget --password REDACTED x; y",
			"parent":{"pid":553296,"executable":"/bin/sh","command_line":"sh"}},"user":{"id":"1000"},
			"container":{"id":"d9028334568bf75a5a084963a8f98f78c56bba7f45f823b3780a135b71b91e95","name":"test","image":{"name":"docker.io/library/alpine:3.18"}},
			"kubernetes":{"namespace":"default","pod":{"uid":"9e4bc54b-de48-4b1c-8b9e-54709f67ed0c","name":"test-1"}}}`,
			"default/test-1/test: wget[553587]? uid 1000", "test (container): /usr/bin/wget: 1 v1\n", "Process uncertain: inferred, may be wrong (1)\n",
		},
		{
			"ptcpdump, only the container", pcapngOf(t, withComments(one(nil), "ContainerName: web\nContainerId: c0ffee\nContainerImage: x:1\nContainerLabels: {}", "")),
			`{"imds":{"attribution":{"status":"offline"}},"container":{"id":"c0ffee","name":"web","image":{"name":"x:1"}}}`,
			"10.0.0.7:40000", "process not known, no User-Agent: 1 v1\n", "Process not known: a capture file does not tell (1)\n",
		},
		{
			"PKTAP", pcapOf(capture.LinkPktap, pktap),
			`{"imds":{"attribution":{"status":"resolved","method":"capture_comment"},"on_behalf_of":{"pid":78,"name":"App"}},"process":{"pid":77,"name":"nsurlsessiond"}}`,
			"nsurlsessiond[77]", "nsurlsessiond: 1 v1\n", "Nothing was lost",
		},
		{
			"PKTAP as it is written", pcapOf(capture.LinkUser2, pktap),
			`{"imds":{"attribution":{"status":"resolved","method":"capture_comment"},"on_behalf_of":{"pid":78,"name":"App"}},"process":{"pid":77,"name":"nsurlsessiond"}}`,
			"nsurlsessiond[77]", "nsurlsessiond: 1 v1\n", "Nothing was lost",
		},
		{
			"process blocks", appleOf(one(nil).Packets()),
			`{"imds":{"attribution":{"status":"resolved","method":"capture_comment"}},"process":{"pid":77,"name":"curl"}}`,
			"curl[77]", "curl: 1 v1\n", "Nothing was lost",
		},
		{
			"garbage", pcapngOf(t, withComments(one(nil), `imds-analyzer: {"imds":{"attribution":{"status":"resolved"}},"process":{"pid":"x"}}`, "")),
			`{"imds":{"attribution":{"status":"offline"}}}`,
			"10.0.0.7:40000", "process not known, no User-Agent: 1 v1\n", "Process not known: a capture file does not tell (1)\n",
		},
		{
			"not found by a run of this program", pcapngOf(t, withComments(one(nil), `imds-analyzer: {"imds":{"attribution":{"status":"not_found"}}}`, "")),
			`{"imds":{"attribution":{"status":"not_found"}}}`,
			"10.0.0.7:40000", "process not known, no User-Agent: 1 v1\n", "Process not known: looked for and not found (1)\n",
		},
	}
}

// carriedFile is a file with one call, and what is made of it: the caller's fields of
// the log entry, the text line, and lines of the summary.
type carriedFile struct{ name, data, caller, text, program, gap string }

func TestCarriedProcesses(t *testing.T) {
	for _, f := range carriedFiles(t) {
		t.Run(f.name, func(t *testing.T) {
			name := filepath.Join(t.TempDir(), "capture")
			if err := os.WriteFile(name, []byte(f.data), 0o600); err != nil {
				t.Fatal(err)
			}
			r := succeeded(t, "-r", name, "--format", "json")
			if callers := callersOf(t, r.out); len(callers) != 1 || callers[0] != normal(t, f.caller) {
				t.Errorf("callers %s\nwant %s", callers, normal(t, f.caller))
			}
			for _, want := range []string{f.program, f.gap} {
				if !strings.Contains(r.err, want) {
					t.Errorf("the summary lacks %q: %s", want, r.err)
				}
			}
			if text := succeeded(t, "-r", name, "--format", "text"); !strings.Contains(text.out, "  200  "+f.text) {
				t.Errorf("text %q", text.out)
			}
			if strings.Contains(r.out+r.err, "hunter2") {
				t.Errorf("a secret is told: %s%s", r.out, r.err)
			}
		})
	}
}

// callersOf are the caller's fields of each call in a log, in normal form.
func callersOf(t *testing.T, log string) (callers []string) {
	t.Helper()
	readLog(t, log)
	for line := range strings.Lines(log) {
		if strings.Contains(line, `"imds.call"`) {
			callers = append(callers, normal(t, line))
		}
	}
	return callers
}

// normal leaves of an entry what tells of the caller, in the order of its keys.
func normal(t *testing.T, entry string) string {
	t.Helper()
	var fields map[string]json.RawMessage
	var within map[string]any
	if err := json.Unmarshal([]byte(entry), &fields); err != nil {
		t.Fatalf("%v: %s", err, entry)
	}
	if err := json.Unmarshal(fields["imds"], &within); err != nil {
		t.Fatalf("%v: %s", err, entry)
	}
	kept := map[string]any{}
	for _, key := range []string{"process", "user", "container", "kubernetes", "orchestrator", "systemd", "package"} {
		if fields[key] != nil {
			kept[key] = decoded(t, fields[key])
		}
	}
	for _, key := range []string{"attribution", "ancestors", "on_behalf_of", "script", "executable_deleted", "executable_elsewhere"} {
		if within[key] != nil {
			kept["imds."+key] = within[key]
		}
	}
	text, err := json.Marshal(kept)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func decoded(t *testing.T, text []byte) (value any) {
	t.Helper()
	if err := json.Unmarshal(text, &value); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return value
}

// checkSameCallers compares callers that a file tells with those that were found: all
// but the method is the same.
func checkSameCallers(t *testing.T, told, found []string) {
	t.Helper()
	method := regexp.MustCompile(`"method":"[a-z_]+"`)
	for i, caller := range found {
		if found[i] = method.ReplaceAllString(caller, `"method":"capture_comment"`); found[i] == caller {
			t.Errorf("there is no method in %s", caller)
		}
	}
	slices.Sort(told)
	slices.Sort(found)
	if !slices.Equal(told, found) {
		t.Errorf("told\n%s\nfound\n%s", strings.Join(told, "\n"), strings.Join(found, "\n"))
	}
}

// programsIn is the part of a summary that names programs.
func programsIn(summary string) string {
	_, programs, _ := strings.Cut(summary, "Programs with IMDSv1 or unknown calls\n")
	programs, _, _ = strings.Cut(programs, "\n\n")
	return programs
}

// What a capture tells of callers is saved with its packets, in the form of this
// program, and as it is the next time.
func TestSavedCallers(t *testing.T) {
	for _, f := range carriedFiles(t) {
		t.Run(f.name, func(t *testing.T) {
			dir := t.TempDir()
			name, saved, again := filepath.Join(dir, "capture"), filepath.Join(dir, "saved"), filepath.Join(dir, "again")
			if err := os.WriteFile(name, []byte(f.data), 0o600); err != nil {
				t.Fatal(err)
			}
			succeeded(t, "-r", name, "-w", saved)
			r := succeeded(t, "-r", saved, "-w", again)
			if callers := callersOf(t, r.out); len(callers) != 1 || callers[0] != normal(t, f.caller) {
				t.Errorf("callers %s\nwant %s", callers, normal(t, f.caller))
			}
			data := readFile(t, saved)
			if data != readFile(t, again) {
				t.Error("saved once more, it is not the same")
			}
			if n := strings.Count(data, "imds-analyzer: {"); n != 1 { // on the one request, also if it says that nothing is known
				t.Errorf("%d comments", n)
			}
			if strings.Contains(data, "hunter2") {
				t.Error("a secret is saved")
			}
		})
	}
}

// Each call of a connection has the comment of its own packet.
func TestCommentsOfOneConnection(t *testing.T) {
	c := asks("10.0.0.7:40001", "/first", "/second", "/third")
	packets, says := c.Packets(), map[string]string{
		"/first":  `imds-analyzer: {"imds":{"attribution":{"status":"resolved"}},"process":{"pid":71}}`,
		"/second": "",
		"/third":  `imds-analyzer: {"imds":{"attribution":{"status":"shared","candidates":[{"pid":74,"command_line":"x 'a b'"}]}},"process":{"pid":73}}`,
	}
	for i := range packets {
		for target, comment := range says {
			if bytes.Contains(packets[i].Data, []byte("GET "+target+" ")) {
				packets[i].Comment = comment
			}
		}
	}
	r := runOn(strings.NewReader(pcapngOf(t, packets)), "-r", "-", "--format", "json")
	want := []string{
		`{"imds":{"attribution":{"status":"resolved","method":"capture_comment"}},"process":{"pid":71}}`,
		`{"imds":{"attribution":{"status":"resolved","method":"capture_comment"}},"process":{"pid":71}}`,
		`{"imds":{"attribution":{"status":"shared","method":"capture_comment","candidates":[{"pid":74,"command_line":"x 'a b'"}]}},"process":{"pid":73}}`,
	}
	for i := range want {
		want[i] = normal(t, want[i])
	}
	if callers := callersOf(t, r.out); !slices.Equal(callers, want) {
		t.Errorf("callers %s\nwant %s", callers, want)
	}
}

// Secrets in comments of other programs, and in ones that only look like ours, reach
// neither the log nor the file.
func TestCommentSecrets(t *testing.T) {
	for name, secret := range shaped {
		for form, comment := range map[string]string{
			"ptcpdump": "PID: 7\nCmd: /usr/bin/curl\nArgs: curl -H X-aws-ec2-metadata-token: SECRET -d key=SECRET SECRET\n" +
				"ParentPID: 6\nParentCmd: /bin/SECRET\nParentArgs: sh -c curl --token SECRET\n" +
				"ContainerName: SECRET\nContainerId: c0ffee\nContainerImage: x:SECRET\nContainerLabels: {\"a\":\"SECRET\"}\n" +
				"PodName: SECRET\nPodNamespace: SECRET\nPodUID: SECRET\nPodLabels: {\"a\":\"SECRET\"}\nPodAnnotations: {\"a\":\"SECRET\"}",
			"etl2pcapng": "PID=7 TID=8 SrcNicName=SECRET",
			"a note":     "SECRET",
			"ours": `imds-analyzer: {"imds":{"attribution":{"status":"shared","candidates":[{"pid":8,"name":"SECRET","command_line":"x SECRET"}]},` +
				`"ancestors":[{"pid":6,"executable":"/SECRET","command_line":"x 'SECRET y"}],"script":{"kind":"file","name":"SECRET","path":"/SECRET"}},` +
				`"process":{"pid":7,"name":"SECRET","args":["x","--token","SECRET"],"command_line":"SECRET","working_directory":"/SECRET"},` +
				`"user":{"id":"0","name":"SECRET"},"container":{"id":"SECRET","runtime":"SECRET","name":"SECRET","image":{"name":"SECRET"}},` +
				`"kubernetes":{"namespace":"SECRET","pod":{"uid":"SECRET","name":"SECRET"}},"systemd":{"unit":"SECRET","user_unit":"SECRET"},` +
				`"orchestrator":{"type":"ecs","cluster":{"name":"SECRET"},"resource":{"id":"arn:SECRET","name":"SECRET"}},` +
				`"package":{"name":"SECRET","version":"SECRET","type":"deb"},"other":"SECRET"}`,
		} {
			t.Run(form+", "+name, func(t *testing.T) {
				packets := withComments(asks("10.0.0.7:40001", "/first", "/second"), strings.ReplaceAll(comment, "SECRET", secret), secret)
				saved := filepath.Join(t.TempDir(), "saved")
				r := runOn(strings.NewReader(pcapngOf(t, packets)), "-r", "-", "--format", "json", "-w", saved)
				text := runOn(strings.NewReader(pcapngOf(t, packets)), "-r", "-", "--format", "text")
				for where, written := range map[string]string{"log": r.out, "summary": r.err, "file": readFile(t, saved), "text": text.out} {
					if strings.Contains(written, secret) {
						t.Errorf("it is in the %s: %s", where, written)
					}
				}
				if form != "a note" && !strings.Contains(r.out, `"pid":7`) {
					t.Errorf("the comment was not read: %s", r.out)
				}
			})
		}
	}
}
