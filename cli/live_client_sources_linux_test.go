package cli_test

// The clients' sources. What they are to do is in the environment: see
// errand.environment.

// shellClient has call N COMMAND..., which runs a command that makes N calls.
const shellClient = `
call() { sh -c 'n=$1; shift; while [ "$n" -gt 0 ]; do echo $$ >&3; n=$((n - 1)); done; exec "$@" 3>&-' sh "$@"; }
`

// The functions that shell clients differ in: put writes a token to standard
// output, get N URL... makes N calls.
const (
	curlClient = `
put() { call 1 curl -sfg -m "$PATIENCE" -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' "$BASE/latest/api/token"; }
get() { n=$1; shift; call "$n" curl -sg ${token:+-H "X-aws-ec2-metadata-token: $token"} "$@"; }
`
	wgetClient = `
put() { call 1 wget -qO- -t 1 -T "$PATIENCE" --method=PUT --header='X-aws-ec2-metadata-token-ttl-seconds: 60' "$BASE/latest/api/token"; }
get() { n=$1; shift; call "$n" wget -qO- -t 1 ${token:+--header="X-aws-ec2-metadata-token: $token"} "$@"; }
`
	shellFlow = `
token=
if [ "$FLOW" = v2 ]; then token=$(put); fi
if [ "$KEEP_ALIVE" ]; then
	get 2 "$BASE$A" "$BASE$B"
else
	get 1 "$BASE$A"
	get 1 "$BASE$B"
fi
exit 0
`
)

// bashClient has no other program make its calls. The one that reads the
// answer inherits the socket.
const bashClient = `
call() { # METHOD TARGET FIELD
	echo $BASHPID >&3
	exec 4<>"/dev/tcp/$HOST/80"
	printf '%s %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n%s\r\n' "$1" "$2" "$HOST" "$3" >&4
	timeout "$PATIENCE" cat <&4 3>&-
	exec 4>&-
}
field=
if [ "$FLOW" = v2 ]; then
	answer=$(call PUT /latest/api/token $'X-aws-ec2-metadata-token-ttl-seconds: 60\r\n')
	case $answer in "HTTP/1.1 200 "*) field="X-aws-ec2-metadata-token: ${answer##*$'\n'}"$'\r\n' ;; esac
fi
call GET "$A" "$field" >/dev/null
call GET "$B" "$field" >/dev/null
`

// pythonFlow is what comes after the definition of call, which returns the
// body of an answer with status 200.
const pythonFlow = `
headers = {}
if os.environ['FLOW'] == 'v2':
    token = call('PUT', '/latest/api/token', {'X-aws-ec2-metadata-token-ttl-seconds': '60'})
    if token:
        headers['X-aws-ec2-metadata-token'] = token
call('GET', os.environ['A'], headers)
call('GET', os.environ['B'], headers)
`

const urllibClient = `
import os, urllib.request

def call(method, target, headers):
    os.write(3, b'%d\n' % os.getpid())
    request = urllib.request.Request(os.environ['BASE'] + target, method=method, headers=headers)
    try:
        return urllib.request.urlopen(request, timeout=float(os.environ['PATIENCE'])).read().decode()
    except OSError:
        return None
` + pythonFlow

const httpClient = `
import http.client, os

connection = http.client.HTTPConnection(os.environ['HOST'], 80, timeout=float(os.environ['PATIENCE']))

def call(method, target, headers):
    os.write(3, b'%d\n' % os.getpid())
    connection.request(method, target, headers=headers)
    try:
        response = connection.getresponse()
        body = response.read().decode()
    except TimeoutError:
        connection.close()
        return None
    return body if response.status == 200 else None
` + pythonFlow

const nodeClient = `
const fs = require('fs'), http = require('http')
const { HOST, A, B, FLOW, PATIENCE, KEEP_ALIVE } = process.env
const agent = new http.Agent({ keepAlive: KEEP_ALIVE !== '' })

function call(method, path, headers) {
  fs.writeSync(3, process.pid + '\n')
  return new Promise(done => {
    const request = http.request({ host: HOST, method, path, headers, agent, timeout: PATIENCE * 1000 }, response => {
      let body = ''
      response.on('data', data => { body += data })
      response.on('end', () => done(response.statusCode === 200 ? body : ''))
    })
    request.on('timeout', () => request.destroy())
    request.on('error', () => done(''))
    request.end()
  })
}

async function flow() {
  const headers = {}
  if (FLOW === 'v2') {
    const token = await call('PUT', '/latest/api/token', { 'X-aws-ec2-metadata-token-ttl-seconds': 60 })
    if (token) headers['X-aws-ec2-metadata-token'] = token
  }
  await call('GET', A, headers)
  await call('GET', B, headers)
}
flow()
`

// goClient makes, if LOAD is a number, so many calls instead, several at once
// and each on a connection of its own.
const goClient = `package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"sync"
	"time"
)

var client = http.Client{Transport: &http.Transport{DisableKeepAlives: os.Getenv("KEEP_ALIVE") == ""}}

func call(method, target, field, value string) string {
	request, err := http.NewRequest(method, os.Getenv("BASE")+target, nil)
	if err != nil {
		panic(err)
	}
	if field != "" {
		request.Header.Set(field, value)
	}
	response, err := client.Do(request)
	if err != nil {
		return ""
	}
	defer response.Body.Close()
	body, _ := io.ReadAll(response.Body)
	if response.StatusCode != http.StatusOK {
		return ""
	}
	return string(body)
}

func load(n int) {
	const together = 8
	var working sync.WaitGroup
	for first := range together {
		working.Go(func() {
			for i := first; i < n; i += together {
				call("GET", os.Getenv("A")+"/"+strconv.Itoa(i), os.Getenv("FIELD"), os.Getenv("TOKEN"))
			}
		})
	}
	working.Wait()
}

func main() {
	pids := os.NewFile(3, "pids")
	if n, err := strconv.Atoi(os.Getenv("LOAD")); err == nil {
		fmt.Fprintln(pids, os.Getpid())
		load(n)
		return
	}
	seconds, _ := strconv.ParseFloat(os.Getenv("PATIENCE"), 64)
	client.Timeout = time.Duration(seconds * float64(time.Second))
	field, token := "", ""
	if os.Getenv("FLOW") == "v2" {
		fmt.Fprintln(pids, os.Getpid())
		if token = call("PUT", "/latest/api/token", "X-aws-ec2-metadata-token-ttl-seconds", "60"); token != "" {
			field = "X-aws-ec2-metadata-token"
		}
	}
	for _, target := range []string{os.Getenv("A"), os.Getenv("B")} {
		fmt.Fprintln(pids, os.Getpid())
		call("GET", target, field, token)
	}
}
`
