package main

// The versions.
const (
	callV1 = "v1"
	callV2 = "v2"
)

// honestPath is what honest clients call; a number follows.
const honestPath = "/latest/meta-data/honest/"

// honestToken is where they ask for the tokens to do so; the path follows.
const honestToken = "/latest/api/token?for="

// access is a line of the stand-in service's log: what came, and from where.
type access struct {
	From   string `json:"from"`
	Target string `json:"target"`
	Method string `json:"method"`
	V2     bool   `json:"v2"`
}

// served is what the service has answered.
type served struct {
	Log      []access `json:"log"`
	Others   uint64   `json:"others"`   // calls of attackers
	Accepted uint64   `json:"accepted"` // connections of attackers
}

// version is what the call has to be told as.
func (a access) version() string {
	if a.V2 {
		return callV2
	}
	return callV1
}
