package main

import "time"

// counts are what the program says of its capture.
type counts struct {
	Received           uint64 `json:"packets_received"`
	DroppedKernel      uint64 `json:"packets_dropped_kernel"`
	DroppedInterface   uint64 `json:"packets_dropped_interface"`
	V1                 uint64 `json:"calls_v1"`
	V2                 uint64 `json:"calls_v2"`
	Unknown            uint64 `json:"calls_unknown"`
	NotHTTP            uint64 `json:"streams_not_http"`
	Unmatched          uint64 `json:"responses_unmatched"`
	Evicted            uint64 `json:"connections_evicted"`
	EntriesNotWritten  uint64 `json:"entries_not_written"`
	EventsLost         uint64 `json:"events_lost"`
	WithoutPackets     uint64 `json:"connections_without_packets"`
	NetworkNamespaces  uint64 `json:"network_namespaces"`
	AttributionMissed  uint64 `json:"attribution_missed"`
	AttributedResolved uint64 `json:"attribution_resolved"`
}

// entry is what is read of a line of the log.
type entry struct {
	Event struct {
		Action  string `json:"action"`
		Dataset string `json:"dataset"`
	} `json:"event"`
	IMDS struct {
		Version      string `json:"version"`
		TokenRequest bool   `json:"token_request"`
		Folded       struct {
			Calls uint64 `json:"calls"`
		} `json:"folded"`
		Attribution struct {
			Status string `json:"status"`
		} `json:"attribution"`
		Capture *counts `json:"capture"`
	} `json:"imds"`
	HTTP struct {
		Request struct {
			Method string `json:"method"`
		} `json:"request"`
		Response struct {
			Status int `json:"status_code"`
		} `json:"response"`
	} `json:"http"`
	URL struct {
		Original string `json:"original"`
	} `json:"url"`
	Source struct {
		IP   string `json:"ip"`
		Port int    `json:"port"`
	} `json:"source"`
	Process struct {
		process
		Args   []string  `json:"args"`
		Start  time.Time `json:"start"`
		Parent process   `json:"parent"`
	} `json:"process"`
	User struct {
		ID string `json:"id"`
	} `json:"user"`
}

type process struct {
	PID        int    `json:"pid"`
	Name       string `json:"name"`
	Executable string `json:"executable"`
}
