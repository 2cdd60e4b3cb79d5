package main

import (
	"context"
	"errors"
	"net"
	"path/filepath"
	"testing"
)

// What is never ready ends only when it is told to, and what is deaf has been ready.
func TestPose(t *testing.T) {
	for _, as := range []string{poseHang, poseDeaf} {
		socket := filepath.Join(t.TempDir(), "s")
		told, err := net.ListenPacket("unixgram", socket)
		if err != nil {
			t.Fatal(err)
		}
		t.Setenv("NOTIFY_SOCKET", socket)
		ctx, stop := context.WithCancel(context.Background())
		ended := make(chan error)
		go func() { ended <- pose(ctx, as) }()
		if as == poseDeaf {
			message := make([]byte, 64)
			n, _, err := told.ReadFrom(message)
			if err != nil || string(message[:n]) != "READY=1" {
				t.Errorf("%s: %q, %v", as, message[:n], err)
			}
		}
		stop()
		if err := <-ended; err != nil {
			t.Errorf("%s: %v", as, err)
		}
		_ = told.Close()
	}
	if err := pose(context.Background(), poseCrash); err == nil || errors.Is(err, errUsage) {
		t.Error("it did not crash: ", err)
	}
	if err := notify(filepath.Join(t.TempDir(), "s"), "READY=1"); err == nil {
		t.Error("nobody is there")
	}
}
