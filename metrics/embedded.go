package metrics

import "imds-analyzer/output"

// Embedded returns the counts so far that a line of the log tells CloudWatch.
func (c *Counters) Embedded(counts *output.Counts, notWritten uint64) output.EmbeddedCounts {
	e := output.EmbeddedCounts{
		MetadataNoToken:         c.tokenless[output.TokenlessAnswered],
		MetadataNoTokenRejected: c.tokenless[output.TokenlessRefused],
		CallsV1:                 counts.CallsV1,
		CallsV2:                 counts.CallsV2,
		CallsUnknown:            counts.CallsUnknown,
		CredentialsV1:           c.credentials,
		AttributionMissed:       counts.AttributionMissed,
		PacketsDropped:          counts.PacketsDroppedKernel + counts.PacketsDroppedInterface,
		EventsLost:              counts.EventsLost,
		EntriesNotWritten:       notWritten,
	}
	if counts.ConnectionsWithoutPackets != nil {
		e.ConnectionsWithoutPackets = *counts.ConnectionsWithoutPackets
	}
	return e
}
