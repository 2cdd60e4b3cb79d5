package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"imds-analyzer/attribution"
	"imds-analyzer/diagnosis"
	"imds-analyzer/identity"
	"imds-analyzer/imds"
	"imds-analyzer/output"
)

// observed is how long each host was.
const observed = 8 * 24 * time.Hour

// began is when all hosts were started, some time apart.
func began(host int) time.Time {
	return time.Date(2026, 1, 1, 0, 0, host, 0, time.UTC)
}

// dir is where the logs of the plan are.
func (p *plan) dir() string {
	return filepath.Join(p.data, fmt.Sprintf("%d-hosts-%d-entries", p.hosts, p.entries))
}

// generate writes the log of each host, the same in each run. The directory has its
// name when all are there.
func (p *plan) generate(ctx context.Context) error {
	if _, err := os.Stat(p.dir()); err == nil {
		return nil
	}
	if err := os.MkdirAll(p.data, 0o755); err != nil {
		return err
	}
	making, err := os.MkdirTemp(p.data, "making-")
	if err != nil {
		return err
	}
	for host := range p.hosts {
		if err := errors.Join(ctx.Err(), writeLog(making, host, p.entries)); err != nil {
			return errors.Join(err, os.RemoveAll(making))
		}
	}
	return os.Rename(making, p.dir())
}

// writeLog writes the log of a host as the program would.
func writeLog(dir string, host, entries int) (err error) {
	file, err := os.Create(filepath.Join(dir, fmt.Sprintf("host-%04d.log", host)))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	machine := output.Host{
		Hostname:   fmt.Sprintf("ip-10-0-%d-%d", host/256, host%256),
		ID:         fmt.Sprintf("%032x", host+1),
		InstanceID: fmt.Sprintf("i-%017x", host+1),
	}
	session := output.Session{
		Host: machine, Interfaces: []string{"any"}, Filter: "port 80", Started: began(host),
		Methods: []attribution.Method{attribution.Tracepoint}, BootID: fmt.Sprintf("boot-%d", host),
	}
	w := output.NewWriter(file, file.Name(), true)
	start := session.Start()
	start.Host.Uptime = 20
	err = w.Lifecycle(&start)
	random := rand.New(rand.NewPCG(1, uint64(host)))
	var counts output.Counts
	for n := range entries {
		at := began(host).Add(observed / time.Duration(entries) * time.Duration(n))
		r := record(random, at, uint64(n+1))
		if r.Call.Request.TokenHeader {
			counts.CallsV2++
		} else {
			counts.CallsV1++
		}
		e := output.NewEntry(r, machine)
		err = errors.Join(err, w.Call(&e))
	}
	stop := session.Progress(output.CaptureStopped, began(host).Add(observed), counts)
	return errors.Join(err, w.Lifecycle(&stop))
}

// oneInV1 is how many calls there are for each of version 1.
const oneInV1 = 5

// record is a call by one of the programs.
func record(random *rand.Rand, at time.Time, sequence uint64) output.Record {
	p := programs()[random.IntN(len(programs()))]
	r := output.Record{
		Sequence: sequence,
		Evidence: diagnosis.Evidence{Call: imds.Call{
			Conn: imds.Conn{
				Client:    netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 1, 23}), uint16(32768+random.IntN(28000))),
				Service:   imds.DefaultEndpoints()[0],
				Interface: "ens5",
			},
			Request: imds.Request{
				Time: at, Method: "GET", Target: targets()[random.IntN(len(targets()))], Proto: "1.1",
				Host: "169.254.169.254", UserAgent: p.agent, TokenHeader: random.IntN(oneInV1) > 0,
			},
			Response: &imds.Response{Time: at.Add(time.Millisecond), Status: 200, HopLimit: 64, Server: "EC2ws"},
		}},
	}
	r.Answer, r.Identity = p.caller(random, at)
	return r
}

// targets are what is asked for.
func targets() []string {
	return []string{
		"/latest/meta-data/instance-id",
		"/latest/meta-data/placement/availability-zone",
		"/latest/meta-data/iam/security-credentials/",
		"/latest/meta-data/iam/security-credentials/app-role",
		"/latest/dynamic/instance-identity/document",
		"/latest/user-data",
	}
}

// program is one that calls.
type program struct{ agent, executable, script, unit, image string }

func programs() []program {
	return []program{
		{"curl/8.5.0", "/usr/bin/curl", "", "boot.service", ""},
		{"Boto3/1.34.11 md/Botocore#1.34.11 ua/2.0 os/linux#6.1.0 lang/python#3.11.2", "/usr/bin/python3.11", "/opt/app/sync.py", "sync.service", ""},
		{"aws-sdk-go-v2/1.30.3 os/linux lang/go#1.22.5 ft/ec2-imds", "/usr/bin/amazon-ssm-agent", "", "amazon-ssm-agent.service", ""},
		{"python-requests/2.31.0", "/usr/local/bin/python3.12", "/app/main.py", "", "registry.example/web:3.1"},
		{"", "/usr/local/bin/node", "/srv/server.js", "", "registry.example/api:7"},
		{"aws-sdk-java/1.11.600 Linux/5.10 Java/11.0.2", "/usr/lib/jvm/bin/java", "", "batch.service", ""},
	}
}

// caller is the process and what it belongs to.
func (p program) caller(random *rand.Rand, at time.Time) (attribution.Answer, identity.Identity) {
	process := &attribution.Process{
		PID: 300 + random.IntN(30000), Name: filepath.Base(p.executable), Executable: p.executable,
		Args: []string{p.executable, p.script, "--interval", "60"}, WorkingDirectory: "/",
		Start: at.Add(-time.Minute), User: &attribution.User{ID: 1000, Name: "app"},
		Ancestors: []attribution.Ancestor{{PID: 1, Name: "systemd", Executable: "/usr/lib/systemd/systemd", Args: []string{"/sbin/init"}}},
	}
	var i identity.Identity
	i.Unit = p.unit
	if p.script != "" {
		i.Script = identity.Script{Kind: identity.ScriptFile, Name: p.script, Path: p.script}
	}
	if p.image != "" {
		i.Container = identity.Container{ID: fmt.Sprintf("%064x", random.Uint64()), Runtime: identity.Docker, Name: "web", Image: p.image}
	} else {
		i.Package = identity.Package{Name: process.Name, Version: "1.0-1", Type: "deb"}
	}
	return attribution.Answer{Status: attribution.Resolved, Method: attribution.Tracepoint, Process: process}, i
}
