package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// The ways in which honest clients call.
const (
	callV1 = "v1" // one call
	callV2 = "v2" // a token, and a call with it on the same connection
)

const (
	// honestPause is how long the honest clients wait for one another.
	honestPause = 150 * time.Millisecond
	// honestPatience bounds a client, whose SYN may be lost in the kernel.
	honestPatience = 8 * time.Second
)

// honest makes calls all through an attack, each by a process of its own that ends
// with it.
type honest struct {
	cancel context.CancelFunc
	ended  chan struct{}
	mu     sync.Mutex
	pids   map[string]int // by path
}

func startHonest(ctx context.Context) *honest {
	ctx, cancel := context.WithCancel(ctx)
	h := &honest{cancel: cancel, ended: make(chan struct{}), pids: make(map[string]int)}
	go h.call(ctx)
	return h
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
	path, version := fmt.Sprintf("%s%d", honestPath, i), callV1
	if i%3 == 2 {
		version = callV2
	}
	cmd := exec.Command(self, roleClient, version, path)
	if err := cmd.Start(); err != nil {
		return
	}
	h.mu.Lock()
	h.pids[path] = cmd.Process.Pid
	h.mu.Unlock()
	_ = cmd.Wait()
}

func (h *honest) stop() {
	h.cancel()
	<-h.ended
}

// callOnce is an honest client.
func callOnce(version, path string) error {
	conn, err := dial(honestAddr)
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
		token, err := exchange(conn, answers, "PUT /latest/api/token?for="+path+" HTTP/1.1\r\nHost: "+service4+"\r\nX-aws-ec2-metadata-token-ttl-seconds: 60\r\nContent-Length: 0\r\n\r\n")
		if err != nil {
			return err
		}
		field = "X-aws-ec2-metadata-token: " + token + "\r\n"
	}
	_, err = exchange(conn, answers, "GET "+path+" HTTP/1.1\r\nHost: "+service4+"\r\nUser-Agent: honest\r\n"+field+"\r\n")
	return err
}

func dial(from string) (net.Conn, error) {
	dialer := net.Dialer{Timeout: honestPatience, LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	endpoint := net.JoinHostPort(service4, "80")
	if strings.Contains(from, ":") {
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
