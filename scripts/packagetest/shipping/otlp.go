package main

import (
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// shipped is a line that came where logs are kept.
type shipped struct {
	line string
	host string    // by the resource
	at   time.Time // by the shipper
}

// sink takes logs by OTLP over HTTP with JSON, and remembers them.
// https://opentelemetry.io/docs/specs/otlp/#otlphttp
type sink struct {
	mu       sync.Mutex // guards what follows
	got      []shipped
	refusing bool
	refused  int // requests
	err      error
}

// otlpValue is a value of an attribute or a body: texts are all that is looked at.
type otlpValue struct{ StringValue string }

type otlpRequest struct {
	ResourceLogs []struct {
		Resource struct {
			Attributes []struct {
				Key   string
				Value otlpValue
			}
		}
		ScopeLogs []struct {
			LogRecords []struct {
				TimeUnixNano string
				Body         otlpValue
			}
		}
	}
}

func (s *sink) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.refusing {
		s.refused++
		http.Error(w, "not now", http.StatusServiceUnavailable)
		return
	}
	request, err := readOTLP(r)
	if err != nil {
		s.err = err
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.take(request)
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write([]byte("{}"))
}

// readOTLP reads a request, which is packed unless the exporter is told otherwise.
func readOTLP(r *http.Request) (request otlpRequest, err error) {
	body := io.Reader(r.Body)
	if r.Header.Get("Content-Encoding") == "gzip" {
		if body, err = gzip.NewReader(body); err != nil {
			return request, err
		}
	}
	return request, json.NewDecoder(body).Decode(&request)
}

func (s *sink) take(request otlpRequest) {
	for _, resource := range request.ResourceLogs {
		host := ""
		for _, a := range resource.Resource.Attributes {
			if a.Key == "host.name" {
				host = a.Value.StringValue
			}
		}
		for _, scope := range resource.ScopeLogs {
			for _, record := range scope.LogRecords {
				ns, err := strconv.ParseInt(record.TimeUnixNano, 10, 64)
				if err != nil {
					s.err = err
				}
				s.got = append(s.got, shipped{record.Body.StringValue, host, time.Unix(0, ns)})
			}
		}
	}
}

// refuse has requests refused from now on, or taken.
func (s *sink) refuse(refusing bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refusing = refusing
}

// soFar returns what has come, how many requests were refused, and what went wrong.
func (s *sink) soFar() ([]shipped, int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.got[:len(s.got):len(s.got)], s.refused, s.err
}
