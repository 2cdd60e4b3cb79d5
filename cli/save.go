package cli

import (
	"errors"
	"fmt"
	"io"
	"os"

	"imds-analyzer/capture"
)

// packetFileMode: only the owner may read what was captured.
const packetFileMode = 0o600

// packetFile is the pcapng file that packets are saved to.
type packetFile struct{ file *os.File }

// openPacketFile makes the Analyzer save its packets to a file of that name,
// replacing an earlier one. Without a name nothing is saved.
func openPacketFile(name string, analyzer *capture.Analyzer) (io.Closer, error) {
	if name == "" {
		return &packetFile{}, nil
	}
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, packetFileMode)
	if err != nil {
		return nil, fmt.Errorf("cannot save packets: %w", err)
	}
	// A file that was there before may have been open to others.
	if info, err := file.Stat(); err == nil && info.Mode().IsRegular() {
		if err := file.Chmod(packetFileMode); err != nil {
			return nil, errors.Join(fmt.Errorf("cannot save packets: %w", err), file.Close())
		}
	}
	writer, err := capture.NewPcapngWriter(file, "imds-analyzer "+version())
	if err != nil {
		return nil, errors.Join(fmt.Errorf("cannot save packets to %s: %w", name, err), file.Close())
	}
	analyzer.SaveTo(func(p capture.Packet) error {
		if err := writer.WritePacket(p); err != nil {
			return fmt.Errorf("packets are no longer saved to %s: %w", name, err)
		}
		return nil
	})
	return &packetFile{file}, nil
}

// Close closes the file.
func (p *packetFile) Close() error {
	if p.file == nil {
		return nil
	}
	if err := p.file.Close(); err != nil {
		return fmt.Errorf("cannot save packets: %w", err)
	}
	return nil
}
