package cli_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// unitFile is a file of systemd's syntax: what is given for each key, in order.
type unitFile map[string][]string

func readUnit(t *testing.T, names ...string) unitFile {
	t.Helper()
	u := unitFile{}
	for _, name := range names {
		text, err := os.ReadFile(filepath.Join("..", "service", name))
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			if key, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok && !strings.HasPrefix(key, "#") {
				u[key] = append(u[key], value)
			}
		}
	}
	return u
}

// last is the value that counts.
func (u unitFile) last(t *testing.T, key string) string {
	t.Helper()
	if len(u[key]) == 0 {
		t.Fatalf("there is no %s=", key)
	}
	return u[key][len(u[key])-1]
}

// words are those of all lines.
func (u unitFile) words(key string) []string { return strings.Fields(strings.Join(u[key], " ")) }

func (u unitFile) seconds(t *testing.T, key string) time.Duration {
	t.Helper()
	d, err := time.ParseDuration(strings.Replace(u.last(t, key), "min", "m", 1))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func (u unitFile) number(t *testing.T, key string) int {
	t.Helper()
	n, err := strconv.Atoi(u.last(t, key))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

const unitName = "imds-analyzer.service"

// longestBoot is what a boot may be held up.
const longestBoot = 10 * time.Second

// What starts before the capture is not seen, and what stops after it is not either:
// without Before=sysinit.target services with default dependencies may.
func TestServiceOrder(t *testing.T) {
	u := readUnit(t, unitName)
	for key, words := range map[string][]string{
		"Type":                {"notify"},
		"NotifyAccess":        {"main"},
		"DefaultDependencies": {"no"},
		"Before":              {"network-pre.target", "cloud-init-local.service", "cloud-init-main.service", "sysinit.target", "shutdown.target"},
		"Wants":               {"network-pre.target"},
		"Conflicts":           {"shutdown.target"},
		"After":               {"systemd-remount-fs.service", "sys-kernel-tracing.mount", "sys-kernel-debug.mount"},
		"RequiresMountsFor":   {"/etc/imds-analyzer", "/var/log/imds-analyzer", "/var/lib/imds-analyzer"},
		"WantedBy":            {"sysinit.target"},
	} {
		for _, word := range words {
			if !slices.Contains(u.words(key), word) {
				t.Errorf("%s= has no %s: %q", key, word, u.words(key))
			}
		}
	}
	// Other file systems may be mounted by way of the network, which waits for it.
	if slices.Contains(u.words("After"), "local-fs.target") || len(u.words("RequiresMountsFor")) > 3 {
		t.Errorf("it waits for more file systems than it needs: After=%q, RequiresMountsFor=%q", u.words("After"), u.words("RequiresMountsFor"))
	}
	if requires := append(u.words("RequiredBy"), u.words("UpheldBy")...); len(requires) > 0 {
		t.Errorf("a boot fails with it: %q", requires)
	}
}

// late is how much later than asked for systemd may do something.
const late = 250 * time.Millisecond

// All starts that there may be one after the other end before a boot was held up for
// too long, and the one behind them still falls in the time in which they are counted.
func TestServiceBootDelay(t *testing.T) {
	u := readUnit(t, unitName)
	if u.last(t, "TimeoutStartFailureMode") != "kill" {
		t.Error("a start that takes too long is not killed at once")
	}
	if u.last(t, "Restart") != "on-failure" {
		t.Error("it is not started again")
	}
	old := readUnit(t, unitName, "old-systemd.conf")
	for name, test := range map[string]struct {
		unit  unitFile
		each  time.Duration
		steps int           // of a start, with each of which systemd may be late
		least time.Duration // that there must be for a slow disk
	}{
		"current": {u, u.seconds(t, "TimeoutStartSec"), 1, 2 * u.seconds(t, "TimeoutStartSec")},
		"old":     {old, old.seconds(t, "TimeoutStartSec") + old.seconds(t, "TimeoutStopSec"), 2, 3 * time.Second},
	} {
		starts := time.Duration(test.unit.number(t, "StartLimitBurst"))
		if has := starts * test.unit.seconds(t, "TimeoutStartSec"); has < test.least {
			t.Errorf("%s: it has %v to start", name, has)
		}
		pauses := (starts - 1) * (test.unit.seconds(t, "RestartSec") + late)
		if held := starts*(test.each+time.Duration(test.steps)*late) + pauses; held > longestBoot {
			t.Errorf("%s: a boot is held up for %v", name, held)
		}
		if next := starts * (test.each + test.unit.seconds(t, "RestartSec")); next >= test.unit.seconds(t, "StartLimitInterval") {
			t.Errorf("%s: a start %v after the first is not refused", name, next)
		}
	}
}

// What was captured can be written before systemd kills, with packets on their way and
// what commands of --enrich have 5 s for. A shutdown waits no longer than a boot.
func TestServiceStop(t *testing.T) {
	for _, u := range []unitFile{readUnit(t, unitName), readUnit(t, unitName, "old-systemd.conf")} {
		if stop := u.seconds(t, "TimeoutStopSec"); stop > longestBoot || stop < 6*time.Second {
			t.Errorf("it has %v to stop", stop)
		}
	}
}

// A program that hangs is noticed, and what it takes has limits that leave others room.
func TestServiceLimits(t *testing.T) {
	u := readUnit(t, unitName)
	if watchdog := u.seconds(t, "WatchdogSec"); watchdog < longestBoot || watchdog > 5*time.Minute {
		t.Errorf("WatchdogSec=%v", watchdog)
	}
	for key, want := range map[string]string{
		"ExecStart":               "/usr/local/bin/imds-analyzer --config /etc/imds-analyzer/config.yaml",
		"ExecReload":              "/bin/kill -HUP $MAINPID",
		"SuccessExitStatus":       "3",
		"CPUWeight":               "1000",
		"TasksMax":                "512",
		"MemoryMax":               "256M",
		"OOMPolicy":               "continue",
		"LimitMEMLOCK":            "64M",
		"LogRateLimitIntervalSec": "0",
		"LogsDirectory":           "imds-analyzer",
		"LogsDirectoryMode":       "0700",
		"StateDirectory":          "imds-analyzer",
		"StateDirectoryMode":      "0700",
		"UMask":                   "0077",
	} {
		if got := u.last(t, key); got != want {
			t.Errorf("%s=%s, not %s", key, got, want)
		}
	}
}

// What the program has started, as to look up a package, ends by itself or with it: it
// is not told to end while the program waits for what it finds.
func TestServiceStopsTheProgramAlone(t *testing.T) {
	if mode := readUnit(t, unitName).last(t, "KillMode"); mode != "mixed" {
		t.Errorf("KillMode=%s", mode)
	}
}

// capabilityName is one in the words of capabilities(7).
var capabilityName = regexp.MustCompile(`CAP_[A-Z_]+`)

// The capabilities that docs/privileges.md says are enough, and those for old kernels
// and for containers, are in the bounding set, and few others.
func TestServiceCapabilities(t *testing.T) {
	document, err := os.ReadFile("../docs/privileges.md")
	if err != nil {
		t.Fatal(err)
	}
	_, which, _ := strings.Cut(string(document), "\n## Which to give\n")
	which, _, _ = strings.Cut(which, "\nBefore Linux 5.8")
	enough := capabilityName.FindAllString(which, -1)
	if len(enough) < 5 {
		t.Fatalf("the document names %q", enough)
	}
	hardened := readUnit(t, unitName, "hardened.conf")["CapabilityBoundingSet"]
	if len(hardened) != 3 || hardened[1] != "" {
		t.Fatalf("the drop-in does not begin anew: %q", hardened)
	}
	for set, want := range map[string][]string{
		hardened[0]: append(slices.Clone(enough), "CAP_SETPCAP", "CAP_SYS_ADMIN", "CAP_NET_ADMIN"),
		hardened[2]: append(slices.Clone(enough), "CAP_SETPCAP"),
	} {
		got := strings.Fields(set)
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("the bounding set is\n%q, not\n%q", got, want)
		}
	}
}

// systemd 219 knows no groups of system calls. It leaves out what it does not know, which
// of a list of those that are allowed leaves nothing.
func TestServiceSystemCalls(t *testing.T) {
	filters := readUnit(t, unitName)["SystemCallFilter"]
	if len(filters) < 2 || !strings.HasPrefix(filters[0], "~") {
		t.Fatalf("the first list is not of what is forbidden: %q", filters)
	}
	if !slices.Contains(filters[1:], "perf_event_open") {
		t.Errorf("the tracepoint cannot be opened: %q", filters)
	}
	for _, word := range strings.Fields(strings.Join(filters[1:], " ")) {
		if strings.HasPrefix(word, "@") {
			t.Errorf("%s is no system call to systemd 219", word)
		}
	}
}

// What it does not need it may not do. The limits of scripts/test-service leave room in
// which one of these could go.
func TestServiceSandbox(t *testing.T) {
	u := readUnit(t, unitName)
	for _, key := range []string{
		"NoNewPrivileges", "PrivateDevices", "PrivateMounts", "ProtectClock", "ProtectControlGroups", "ProtectKernelLogs", "ProtectKernelModules",
		"ProtectKernelTunables", "LockPersonality", "MemoryDenyWriteExecute", "RestrictRealtime", "RestrictSUIDSGID",
	} {
		if got := u.last(t, key); got != "yes" {
			t.Errorf("%s=%s", key, got)
		}
	}
	for key, want := range map[string][]string{
		"ProtectSystem":           {"full", "strict"}, // the first for those that do not know the second
		"ProtectProc":             {"invisible"},
		"KeyringMode":             {"private"},
		"SystemCallArchitectures": {"native"},
		"SystemCallErrorNumber":   {"EPERM"},
	} {
		if got := u[key]; !slices.Equal(got, want) {
			t.Errorf("%s=%q, not %q", key, got, want)
		}
	}
}

// What the program needs to see of the host is not hidden from it.
func TestServiceSees(t *testing.T) {
	u := readUnit(t, unitName, "hardened.conf")
	for _, key := range []string{"PrivateNetwork", "PrivateUsers", "PrivateTmp", "PrivatePIDs", "ProtectHostname", "ProcSubset", "DynamicUser", "User", "CPUQuota"} {
		if len(u[key]) > 0 {
			t.Errorf("%s=%s", key, u.last(t, key))
		}
	}
	if home := u.last(t, "ProtectHome"); home != "read-only" {
		t.Errorf("programs in /home are hidden: ProtectHome=%s", home)
	}
	for _, family := range []string{"AF_UNIX", "AF_INET", "AF_INET6", "AF_NETLINK", "AF_PACKET"} {
		if !slices.Contains(u.words("RestrictAddressFamilies"), family) {
			t.Errorf("it may not use %s", family)
		}
	}
	if spaces := readUnit(t, unitName).last(t, "RestrictNamespaces"); spaces != "net" {
		t.Errorf("it cannot enter network namespaces: RestrictNamespaces=%s", spaces)
	}
}
