package capture_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"imds-analyzer/capture"
	"imds-analyzer/capture/packettest"
	"imds-analyzer/imds"
)

// TestMaskedCaptureHoldsTheSameCalls saves each real capture, reads what was
// saved, and finds the same calls in it.
func TestMaskedCaptureHoldsTheSameCalls(t *testing.T) {
	files, _ := filepath.Glob("../testdata/captures/*.pcap*")
	withSecrets := 0
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			original, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if secretIn(original, original) != nil {
				withSecrets++
			}
			var saved bytes.Buffer
			want := save(t, file, &saved)
			if len(want) == 0 {
				t.Fatal("no calls")
			}
			if err := secretIn(saved.Bytes(), original); err != nil {
				t.Error(err)
			}
			source := packettest.Read(&saved, nil)
			got, _ := analyzeSource(t, source, nil)
			compare(t, observe(got), observe(want))
		})
	}
	if withSecrets < len(files)-2 { // one is packed, one has its tokens cut off
		t.Errorf("the check for secrets finds something to hide in %d of %d files only", withSecrets, len(files))
	}
}

// save writes the masked packets of a capture file, and returns its calls.
func save(t *testing.T, file string, to io.Writer) []imds.Call {
	t.Helper()
	source := packettest.Open(file)
	defer source.Close()
	writer, err := capture.NewPcapngWriter(to, "test")
	if err != nil {
		t.Fatal(err)
	}
	calls, _ := analyzeSource(t, source, func(p capture.Saved) {
		if err := writer.WritePacket(p.Packet); err != nil {
			t.Error(err)
		}
	})
	return calls
}

func analyzeSource(t *testing.T, source capture.Source, save func(capture.Saved)) ([]imds.Call, *capture.Analyzer) {
	t.Helper()
	var found collector
	analyzer := capture.NewAnalyzer(imds.DefaultEndpoints(), capture.OfflineLimits(), &found)
	if save != nil {
		analyzer.SaveTo(save)
	}
	for {
		p, err := source.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		analyzer.Packet(p)
	}
	analyzer.Flush()
	if found.opened < 1 || found.opened < found.closed {
		t.Errorf("%d connections opened, %d closed", found.opened, found.closed)
	}
	return found.calls, analyzer
}

// secretIn looks in a saved capture for pieces of the tokens that the original
// carries in requests, and for what the stand-in service hands out in bodies.
func secretIn(saved, original []byte) error {
	field := regexp.MustCompile(`(?i)x-aws-ec2-metadata-token: ?([\w+/=-]{12,})`)
	for _, match := range field.FindAllSubmatch(original, -1) {
		for token := match[1]; len(token) >= 12; token = token[1:] {
			if bytes.Contains(saved, token[:12]) {
				return fmt.Errorf("a token was saved: %s", token)
			}
		}
	}
	for _, secret := range []string{"AccessKeyId", "SecretAccessKey", "instanceId", "ami-0"} {
		if bytes.Contains(saved, []byte(secret)) {
			return fmt.Errorf("a response body was saved: %s", secret)
		}
	}
	return nil
}
