package cli_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"imds-analyzer/capture/packettest"
)

// Every way out of the program, in one table each for what it reads: captures and logs.
// Each flag has to be in one of them or among those that write nothing, so that a new way
// out is not forgotten here.

// outlet is a run of the program. CAPTURE, LOG and INVENTORY in its arguments stand for
// files with secrets in them, and DIR for a directory of its own, of which every file is
// looked at.
type outlet struct {
	name string
	args string
}

var ofCaptures = []outlet{
	{"JSON", "--format json -r CAPTURE"},
	{"text", "--format text -r CAPTURE"},
	{"log and saved packets", "-o DIR/log -w DIR/saved -r CAPTURE"},
	{"folded", "--fold 1h -o DIR/log -r CAPTURE"},
	{"configured", "--config DIR/config.yaml -r CAPTURE"},
	{"labelled", "--enrich tee --enrich-timeout 20s --count 9 -r CAPTURE"},
	{"wrong endpoint", "--endpoint 169.254.169.254:81 --format json -r CAPTURE"},
	{"report", "report CAPTURE"},
	{"report, JSON", "report --format json --endpoint 169.254.169.254 CAPTURE"},
	{"report, HTML", "report --format html -o DIR/report.html CAPTURE"},
}

var ofLogs = []outlet{
	{"report", "report --inventory INVENTORY --group-by tag:Team LOG"},
	{"report, JSON", "report --format json --inventory INVENTORY --group-by image LOG"},
	{"report, HTML", "report --format html -o DIR/report.html --inventory INVENTORY --group-by asg LOG"},
}

// writesNothing are flags that only say what is done.
var writesNothing = []string{"help", "interface", "attribution", "realtime", "no-packages", "no-seccomp", "own-namespace", "only", "duration", "enrich-user",
	"rotate-size", "rotate-keep", "min-days", "since", "no-boot", "ignore", "exit-code"}

// writesTheSame are flags that write the lines of the log elsewhere, as they are, which the
// tests of package journald hold. The journal of the machine is not for tests.
var writesTheSame = []string{"journald"}

// liveOutlets are the arguments of the program in TestLiveSecrets.
const liveOutlets = "--format text -o DIR/log -w DIR/saved --state DIR/state.json --stats-interval 1s --fold 1s --max-entry-rate 5 " +
	"--metrics-textfile DIR/imds.prom --metrics-interval 1s --metrics-listen 127.0.0.1:0 --emf --emf-interval 1s --emf-per-instance"

// Each flag of each command is looked at.
func TestEveryOutletIsInTheTable(t *testing.T) {
	looked := liveOutlets
	for _, o := range slices.Concat(ofCaptures, ofLogs) {
		looked += " " + strings.NewReplacer(" -r", " --read", " -o", " --output", " -w", " --write").Replace(" "+o.args)
	}
	flags := 0
	for _, command := range append(commandsOf(t), "") {
		help := succeeded(t, strings.Fields(command+" --help")...).out
		for _, found := range regexp.MustCompile(`(?m)^ +(?:-\w, )?--([a-z-]+)`).FindAllStringSubmatch(help, -1) {
			flags++
			if !slices.Contains(slices.Concat(writesNothing, writesTheSame), found[1]) && !strings.Contains(looked, "--"+found[1]+" ") && !strings.HasSuffix(looked, "--"+found[1]) {
				t.Errorf("nobody looks for secrets in what --%s of %q writes", found[1], command)
			}
		}
	}
	if flags < 30 {
		t.Errorf("%d flags only", flags)
	}
}

// commandsOf are the program's commands that have flags of their own.
func commandsOf(t *testing.T) (names []string) {
	t.Helper()
	_, list, _ := strings.Cut(succeeded(t, "--help").out, "Available Commands:\n")
	list, _, _ = strings.Cut(list, "\n\n")
	for line := range strings.Lines(list) {
		name := strings.Fields(line)[0]
		if name != "completion" && name != "help" {
			names = append(names, name)
		}
	}
	if !slices.Contains(names, "report") {
		t.Fatalf("the commands are %q", names)
	}
	return names
}

// written is all that a run leaves behind: what it says, its files, and their names.
func (o outlet) written(t *testing.T, files map[string]string) map[string]string {
	t.Helper()
	dir := t.TempDir()
	write(t, dir, "config.yaml", "format: json\n")
	args := strings.Fields(o.args)
	for i := range args {
		for name, file := range files {
			args[i] = strings.ReplaceAll(args[i], name, file)
		}
		args[i] = strings.ReplaceAll(args[i], "DIR", dir)
	}
	r := run(args...)
	if r.status == 1 || r.status == 2 {
		t.Fatalf("exit status %d: %s", r.status, r.err)
	}
	all := map[string]string{"standard output": r.out, "standard error": r.err}
	maps.Copy(all, filesIn(t, dir))
	return all
}

// filesIn are the files of a directory.
func filesIn(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Type().IsRegular() {
			all[e.Name()] = readFile(t, filepath.Join(dir, e.Name()))
		}
	}
	return all
}

// checkOutlets makes sure that nothing of the secrets is in what the runs write, and that
// they write something.
func checkOutlets(t *testing.T, outlets []outlet, files map[string]string, secrets *pieces) {
	t.Helper()
	for _, o := range outlets {
		t.Run(o.name, func(t *testing.T) {
			t.Parallel()
			size := 0
			for where, text := range o.written(t, files) {
				size += len(text)
				if err := secrets.find(text); err != nil {
					t.Errorf("%s: %v", where, err)
				}
			}
			if size < 100 {
				t.Errorf("%d bytes are written", size)
			}
		})
	}
}

// secretsAnd are all secrets that are known by their shape, and the phrase.
func secretsAndPhrase() map[string]string {
	all := maps.Clone(shaped)
	all["phrase"] = phrase
	return all
}

// Secrets in captures, and in what their comments tell of callers, reach no outlet.
func TestSecretsOfCaptures(t *testing.T) {
	t.Parallel()
	list := []planted{}
	for kind, talks := range map[string]map[string]talk{"named": named, "free": free} {
		for _, place := range slices.Sorted(maps.Keys(talks)) {
			secrets := shaped
			if kind == "named" {
				secrets = secretsAndPhrase()
			}
			list = append(list, plantOnce(talks[place], secrets, len(list))...)
		}
	}
	file := save(t, packetsOf(list))
	checkOutlets(t, ofCaptures, map[string]string{"CAPTURE": file}, piecesOf(secretsAndPhrase()))
}

// plantOnce has a talk about each secret, captured whole, with a caller in its comments
// who has the secret in all that is told of him.
func plantOnce(say talk, secrets map[string]string, before int) (list []planted) {
	for i, name := range slices.Sorted(maps.Keys(secrets)) {
		secret := secrets[name]
		n := before + i
		comment := map[string]any{"process": map[string]any{"pid": 7, "name": "app", "executable": "/opt/app",
			"args":         []string{"app", "--password", secret, "-H", "X-aws-ec2-metadata-token: " + secret, "--token=" + secret},
			"command_line": "app --password " + secret + " --token=" + secret, "working_directory": "/srv/token=" + secret},
			"container": map[string]any{"name": "token=" + secret}, "systemd": map[string]any{"unit": "token=" + secret},
			"imds": map[string]any{"attribution": map[string]any{"status": "resolved", "method": "proc"}}}
		text, err := json.Marshal(comment)
		if err != nil {
			panic(err)
		}
		c := talked(say, secret, n, packettest.Start.Add(time.Duration(n)*time.Second), ways()[0])
		list = append(list, planted{name, "whole", withComments(c, "imds-analyzer: "+string(text), secret)})
	}
	return list
}

// plants are forms in which a text of a log has a secret.
func plants(secrets map[string]string) (texts []string) {
	for _, name := range slices.Sorted(maps.Keys(secrets)) {
		secret := secrets[name]
		texts = append(texts, "token="+secret, "curl --password "+secret, `{"SecretAccessKey":"`+secret+`"}`)
		if name != "phrase" {
			texts = append(texts, secret, "/x/"+secret+"/y")
		}
	}
	return texts
}

// Logs and lists that others have written, with secrets in any of their texts, reach no
// outlet of the report.
func TestSecretsOfLogs(t *testing.T) {
	t.Parallel()
	var log strings.Builder
	lines := strings.Split(strings.TrimSpace(readFile(t, "../output/testdata/entries.golden.jsonl")), "\n")
	for i, text := range plants(secretsAndPhrase()) {
		for n, line := range lines {
			if n%len(plants(shaped)) == i%len(plants(shaped)) || n < 2 {
				writePlanted(t, &log, line, text)
			}
		}
	}
	dir := t.TempDir()
	secrets := piecesOf(secretsAndPhrase())
	if secrets.find(log.String()) == nil {
		t.Fatal("nothing was planted")
	}
	files := map[string]string{"LOG": write(t, dir, "imds.log", log.String()), "INVENTORY": write(t, dir, "instances.json", plantedInventory(t))}
	checkOutlets(t, ofLogs, files, secrets)
}

// writePlanted writes the line with the text in the place of each of its texts in turn,
// and of all at once.
func writePlanted(t *testing.T, log *strings.Builder, line, text string) {
	t.Helper()
	for at := 0; ; at++ {
		var entry any
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Fatal(err)
		}
		texts := 0
		entry = withText(entry, func(old string) string {
			if texts++; texts == at || at == 0 && !structural.MatchString(old) {
				return text
			}
			return old
		})
		planted, err := json.Marshal(entry)
		if err != nil {
			t.Fatal(err)
		}
		log.Write(append(planted, '\n'))
		if at > texts {
			return
		}
	}
}

// structural are texts without which a line is no entry, or tells nothing.
var structural = regexp.MustCompile(`^(20\d\d-.*|v1|v2|imds\..*|imds-.*|capture-.*|event|network|start|end|info|GET|PUT|ipv4|tcp|success|failure|resolved|\d.*)$`)

// withText returns the value with texts replaced.
func withText(value any, replace func(string) string) any {
	switch v := value.(type) {
	case string:
		return replace(v)
	case []any:
		for i := range v {
			v[i] = withText(v[i], replace)
		}
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			v[key] = withText(v[key], replace)
		}
	}
	return value
}

// plantedInventory is a list of instances with secrets in what their owners can choose.
func plantedInventory(t *testing.T) string {
	t.Helper()
	var instances []any
	for i, text := range plants(secretsAndPhrase()) {
		instances = append(instances, map[string]any{
			"InstanceId": fmt.Sprintf("i-%08x", i), "ImageId": text, "State": map[string]any{"Name": text}, "KeyName": text,
			"Placement": map[string]any{"AvailabilityZone": text}, "MetadataOptions": map[string]any{"HttpTokens": text, "HttpEndpoint": text, "State": text},
			"Tags": []any{map[string]any{"Key": "Team", "Value": text}, map[string]any{"Key": "aws:autoscaling:groupName", "Value": text}, map[string]any{"Key": text, "Value": text}},
		}, map[string]any{"InstanceId": text})
	}
	list, err := json.Marshal(map[string]any{"Reservations": []any{map[string]any{"Instances": instances}}})
	if err != nil {
		t.Fatal(err)
	}
	return string(list)
}

// What is said of wrong usage and broken input quotes no secret.
func TestSecretsInComplaints(t *testing.T) {
	t.Parallel()
	all := piecesOf(secretsAndPhrase())
	texts := plants(secretsAndPhrase())
	if testing.Short() {
		texts = plants(map[string]string{"token": shaped["token"]})[2:4] // in JSON, and alone
	}
	for _, text := range texts {
		dir := t.TempDir()
		quoted, _ := json.Marshal(text)
		files := map[string]string{
			"text":         write(t, dir, "text", text+"\n"),
			"log":          write(t, dir, "log", `{"event":{"dataset":"imds.call"},"imds":{"version":`+string(quoted)+`},"@timestamp":`+string(quoted)+`}`+"\n{"+string(quoted)+"\n"),
			"state":        write(t, dir, "state", `{"kind":"imds-analyzer state","version":1,"hosts":`+string(quoted)+"}\n"),
			"value":        write(t, dir, "value.yaml", "duration: "+string(quoted)+"\nonly: "+string(quoted)+"\nendpoint: "+string(quoted)+"\nenrich: "+string(quoted)+"\n"),
			"key":          write(t, dir, "key.yaml", string(quoted)+": 1\n? "+text+"\n"),
			"no YAML":      write(t, dir, "no.yaml", "a: [\n"+text+"\n\t: "+text+"\n"),
			"no inventory": write(t, dir, "list.json", `{"Reservations":[{"Instances":[{"InstanceId":`+string(quoted)+`,"Tags":`+string(quoted)+"}]}], "+text),
			"no list":      write(t, dir, "no.json", text),
		}
		for _, args := range [][]string{
			{"-r", files["text"]}, {"-r", text}, {"-r", "/no/such/" + text}, {text}, {"--" + text}, {"-x" + text}, {"help", text}, {"completion", text}, {"version", text},
			{"--only", text}, {"--duration", text}, {"--count", text}, {"--endpoint", text}, {"--format", text}, {"--fold", text}, {"--rotate-size", text},
			{"--attribution", text}, {"-i", text}, {"--enrich", text, "-r", files["text"]}, {"--enrich-user", text, "--enrich", "true", "-r", files["text"]},
			{"-o", "/no/such/" + text, "-r", files["log"]}, {"-w", "/no/such/" + text, "-r", files["log"]}, {"--state", "/no/such/" + text},
			{"--config", "/no/such/" + text}, {"--config", files["value"]}, {"check-config", text}, {"check-config", text, text},
			{"check-config", files["value"]}, {"check-config", files["key"]}, {"check-config", files["no YAML"]}, {"check-config", files["text"]},
			{"report", files["text"]}, {"report", files["log"]}, {"report", files["state"]}, {"report", "/no/such/" + text}, {"report", "--format", text, files["log"]},
			{"report", "--format", "json", files["log"]}, {"report", "--min-days", text, files["log"]}, {"report", "--group-by", text, files["log"]},
			{"report", "-o", "/no/such/" + text, files["log"]}, {"report", "--endpoint", text, files["log"]}, {"report", "--ignore", text, files["log"]},
			{"report", "--inventory", files["no inventory"], files["log"]}, {"report", "--inventory", files["no list"], files["log"]},
			{"report", "--inventory", "/no/such/" + text, files["log"]},
		} {
			r := run(args...)
			if err := all.find(r.out + r.err); err != nil {
				t.Errorf("%.60q: %v", args, err)
			}
		}
	}
}
