package output

// Embedded is what has CloudWatch Logs make metrics of a line: the embedded metric format
// (Amazon CloudWatch User Guide, "Specification: Embedded metric format"). Dimensions and
// values stand at the top of the line, under the names that the metadata has.
type Embedded struct {
	AWS EmbeddedMetadata `json:"_aws"`
	// InstanceID is there if it is a dimension.
	InstanceID string `json:"InstanceId,omitempty"`
	EmbeddedCounts
	// ResidentMemory is the program's, in bytes.
	ResidentMemory uint64 `json:"ResidentMemory,omitempty"`
}

// EmbeddedCounts are what was counted since the line before that has some.
type EmbeddedCounts struct {
	MetadataNoToken           uint64 `json:"MetadataNoToken"`
	MetadataNoTokenRejected   uint64 `json:"MetadataNoTokenRejected"`
	CallsV1                   uint64 `json:"CallsV1"`
	CallsV2                   uint64 `json:"CallsV2"`
	CallsUnknown              uint64 `json:"CallsUnknown"`
	CredentialsV1             uint64 `json:"CredentialsV1"`
	AttributionMissed         uint64 `json:"AttributionMissed"`
	PacketsDropped            uint64 `json:"PacketsDropped"`
	ConnectionsWithoutPackets uint64 `json:"ConnectionsWithoutPackets"`
	EventsLost                uint64 `json:"EventsLost"`
	EntriesNotWritten         uint64 `json:"EntriesNotWritten"`
}

// EmbeddedMetadata is the metadata object. Timestamp is in milliseconds since 1970.
type EmbeddedMetadata struct {
	Timestamp         int64             `json:"Timestamp"`
	CloudWatchMetrics []MetricDirective `json:"CloudWatchMetrics"`
}

// MetricDirective tells which members of the line are metrics. Each set of dimensions
// makes metrics of its own.
type MetricDirective struct {
	Namespace  string             `json:"Namespace"`
	Dimensions [][]string         `json:"Dimensions"`
	Metrics    []MetricDefinition `json:"Metrics"`
}

// MetricDefinition is a metric's name and unit, which is one of CloudWatch's.
type MetricDefinition struct {
	Name string `json:"Name"`
	Unit string `json:"Unit"`
}

// embeddedNamespace is where CloudWatch keeps the metrics.
const embeddedNamespace = "imds-analyzer"

// instanceDimension is the name that the metrics of EC2 itself have for it.
const instanceDimension = "InstanceId"

// Embed has the line tell CloudWatch the counts, and the program's memory if that is not
// 0: for all machines together and, with an instance's id, for this one, too.
func (l *Lifecycle) Embed(counts EmbeddedCounts, residentMemory uint64, instance string) {
	e := &Embedded{InstanceID: instance, EmbeddedCounts: counts, ResidentMemory: residentMemory}
	directive := MetricDirective{Namespace: embeddedNamespace, Dimensions: [][]string{{}}}
	if instance != "" {
		directive.Dimensions = append(directive.Dimensions, []string{instanceDimension})
	}
	for _, c := range e.counts() {
		directive.Metrics = append(directive.Metrics, MetricDefinition{c.name, "Count"})
	}
	if residentMemory > 0 {
		directive.Metrics = append(directive.Metrics, MetricDefinition{"ResidentMemory", "Bytes"})
	}
	e.AWS = EmbeddedMetadata{l.Timestamp.UnixMilli(), []MetricDirective{directive}}
	l.Embedded = e
}

// Since returns what was counted since before. A count that is lower than it was, because
// what it comes from could not be asked, adds nothing.
func (c EmbeddedCounts) Since(before EmbeddedCounts) EmbeddedCounts {
	counted := before.counts()
	for i, now := range c.counts() {
		*now.value -= min(*now.value, *counted[i].value)
	}
	return c
}

// Highest returns the higher one of each count: one that was lower for once is not told
// again when it is back.
func (c EmbeddedCounts) Highest(other EmbeddedCounts) EmbeddedCounts {
	others := other.counts()
	for i, one := range c.counts() {
		*one.value = max(*one.value, *others[i].value)
	}
	return c
}

// embeddedCount is a count and its name.
type embeddedCount struct {
	name  string
	value *uint64
}

func (c *EmbeddedCounts) counts() []embeddedCount {
	return []embeddedCount{
		{"MetadataNoToken", &c.MetadataNoToken},
		{"MetadataNoTokenRejected", &c.MetadataNoTokenRejected},
		{"CallsV1", &c.CallsV1},
		{"CallsV2", &c.CallsV2},
		{"CallsUnknown", &c.CallsUnknown},
		{"CredentialsV1", &c.CredentialsV1},
		{"AttributionMissed", &c.AttributionMissed},
		{"PacketsDropped", &c.PacketsDropped},
		{"ConnectionsWithoutPackets", &c.ConnectionsWithoutPackets},
		{"EventsLost", &c.EventsLost},
		{"EntriesNotWritten", &c.EntriesNotWritten},
	}
}

func (e *Embedded) write(w *jsonWriter) {
	if e == nil {
		return
	}
	start := w.open("_aws")
	w.integer("Timestamp", e.AWS.Timestamp)
	w.name("CloudWatchMetrics")
	w.line = append(w.line, '[')
	for i := range e.AWS.CloudWatchMetrics {
		e.AWS.CloudWatchMetrics[i].write(w)
	}
	w.endList()
	w.close(start)
	w.text("InstanceId", e.InstanceID)
	for _, c := range e.counts() {
		w.count(c.name, *c.value)
	}
	if e.ResidentMemory > 0 {
		w.count("ResidentMemory", e.ResidentMemory)
	}
}

func (m *MetricDirective) write(w *jsonWriter) {
	start := w.open("")
	w.text("Namespace", m.Namespace)
	w.name("Dimensions")
	w.line = append(w.line, '[')
	for _, set := range m.Dimensions {
		w.line = append(w.line, '[')
		for _, dimension := range set {
			w.line = append(appendString(w.line, dimension), ',')
		}
		if len(set) > 0 {
			w.line = w.line[:len(w.line)-1] // the last comma
		}
		w.line = append(w.line, ']', ',')
	}
	w.endList()
	w.name("Metrics")
	w.line = append(w.line, '[')
	for _, metric := range m.Metrics {
		one := w.open("")
		w.text("Name", metric.Name)
		w.text("Unit", metric.Unit)
		w.close(one)
	}
	w.endList()
	w.close(start)
}
