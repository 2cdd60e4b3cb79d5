package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// callSplit is a call of version 1 whose head comes in two segments, splitTime apart: for
// as long it has to be remembered, while attackers try to take up all room. The other
// honest calls are one without a token, and a token and one with it on a connection.
const callSplit = "split"

const splitTime = 20 * time.Millisecond

// Honest clients have these ports, one after the other, so that attackers know them.
const (
	firstHonestPort = 20000
	honestPorts     = 1000
)

// honestUser is whom honest clients run as. Attackers are others, root too: who floods as
// the same user has the calls of both told together.
const honestUser = 4243

const (
	// honestPause is how long the honest clients wait for one another.
	honestPause = 150 * time.Millisecond
	// honestPatience bounds a client, whose SYN may be lost in the kernel.
	honestPatience = 8 * time.Second
)

// honest makes calls all through an attack, each by a process of its own that ends
// with it.
type honest struct {
	cancel  context.CancelFunc
	ended   chan struct{}
	began   time.Time
	lasted  time.Duration // known once it was stopped
	self    process       // what all clients are
	mu      sync.Mutex
	clients map[string]client // by path
}

func startHonest(ctx context.Context) (*honest, error) {
	executable, err := os.Readlink(self)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	h := &honest{cancel: cancel, ended: make(chan struct{}), began: time.Now(), clients: make(map[string]client)}
	h.self = process{Executable: executable, Name: filepath.Base(self)} // the name is that by which it is started
	go h.call(ctx)
	return h, nil
}

func (h *honest) call(ctx context.Context) {
	defer close(h.ended)
	var running sync.WaitGroup
	defer running.Wait()
	ticker := time.NewTicker(honestPause)
	defer ticker.Stop()
	for i := 0; ; i++ {
		running.Go(func() { h.callOnce(i) })
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// callOnce starts one client. Whether its call came is for the service to say.
func (h *honest) callOnce(i int) {
	path := fmt.Sprintf("%s%d-%d", honestPath, os.Getpid(), i) // others may be attacked on this machine, too
	version := [...]string{callV1, callV2, callSplit}[i%3]
	cmd := exec.Command(self, roleClient, version, path, strconv.Itoa(firstHonestPort+i%honestPorts))
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: honestUser, Gid: honestUser}, Pdeathsig: syscall.SIGKILL}
	c := client{process: h.self, Args: cmd.Args, UserID: strconv.Itoa(honestUser), Parent: os.Getpid(), After: time.Now()}
	if err := cmd.Start(); err != nil {
		return
	}
	c.PID, c.Before = cmd.Process.Pid, time.Now()
	h.mu.Lock()
	h.clients[path] = c
	h.mu.Unlock()
	_ = cmd.Wait()
}

func (h *honest) stop() {
	h.lasted = time.Since(h.began)
	h.cancel()
	<-h.ended
}

// due is how many calls there was time for.
func (h *honest) due() int { return int(h.lasted / honestPause) }

// callOnce is an honest client.
func callOnce(version, path, port string) error {
	from, err := net.ResolveTCPAddr("tcp", net.JoinHostPort(honestAddr, port))
	if err != nil {
		return err
	}
	conn, err := dial(from)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(honestPatience)); err != nil {
		return err
	}
	answers := bufio.NewReader(conn)
	field := ""
	if version == callV2 {
		token, err := exchange(conn, answers, "PUT "+honestToken+path+" HTTP/1.1\r\nHost: "+service4+"\r\nX-aws-ec2-metadata-token-ttl-seconds: 60\r\nContent-Length: 0\r\n\r\n")
		if err != nil {
			return err
		}
		field = "X-aws-ec2-metadata-token: " + token + "\r\n"
	}
	if version == callSplit {
		if _, err := io.WriteString(conn, "GET "+path+" HTTP/1.1\r\nHos"); err != nil {
			return err
		}
		time.Sleep(splitTime)
		_, err = exchange(conn, answers, "t: "+service4+"\r\nUser-Agent: honest\r\n\r\n")
		return err
	}
	_, err = exchange(conn, answers, "GET "+path+" HTTP/1.1\r\nHost: "+service4+"\r\nUser-Agent: honest\r\n"+field+"\r\n")
	return err
}

// dial connects to the service from an address, and a port if that is not 0.
func dial(from *net.TCPAddr) (net.Conn, error) {
	dialer := net.Dialer{Timeout: honestPatience, LocalAddr: from, KeepAlive: -1} // what is silent has to be
	endpoint := net.JoinHostPort(service4, "80")
	if from.IP.To4() == nil {
		endpoint = net.JoinHostPort(service6, "80")
	}
	return dialer.Dial("tcp", endpoint)
}

// exchange sends a request and returns the body of the answer.
func exchange(conn net.Conn, answers *bufio.Reader, request string) (string, error) {
	if _, err := conn.Write([]byte(request)); err != nil {
		return "", err
	}
	answer, err := http.ReadResponse(answers, nil)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	var body strings.Builder
	if _, err := bufio.NewReader(answer.Body).WriteTo(&body); err != nil {
		return "", err
	}
	if answer.StatusCode != http.StatusOK {
		return "", errors.New(answer.Status)
	}
	return body.String(), nil
}
