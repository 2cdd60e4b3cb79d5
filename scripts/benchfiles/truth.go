package main

import (
	"encoding/json"
	"os"
)

// edition is raised whenever the generator writes other files than before, so
// that those of an earlier one are made anew.
const edition = 1

// truth is what a generator knows of the file that it wrote, by having made
// it and not by reading it.
type truth struct {
	Edition int `json:"edition"`
	// Bytes is the size of the file, Packets the number of packets in it and
	// IMDSPackets of those to or from the metadata service.
	Bytes       int64 `json:"bytes"`
	Packets     int   `json:"packets"`
	IMDSPackets int   `json:"imds_packets"`
	// Reordered and Repeated are the numbers of segments that come late, and
	// that come twice.
	Reordered int `json:"reordered"`
	Repeated  int `json:"repeated"`
	// Connections is the number of connections to the metadata service, Calls
	// that of the requests on them, V1 and V2 how many have which version.
	Connections int `json:"connections"`
	Calls       int `json:"calls"`
	V1          int `json:"v1"`
	V2          int `json:"v2"`
}

// truthFile is the name of the file with the truth about a capture file.
func truthFile(name string) string { return name + ".truth.json" }

// readTruth reads the truth about a capture file.
func readTruth(name string) (known truth, err error) {
	text, err := os.ReadFile(truthFile(name))
	if err != nil {
		return truth{}, err
	}
	return known, json.Unmarshal(text, &known)
}

func (known truth) save(name string) error {
	text, err := json.MarshalIndent(known, "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile(truthFile(name), append(text, '\n'), 0o644)
}
