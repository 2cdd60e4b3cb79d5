package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"strings"
)

// The ways in which a program can misbehave under its service manager.
const (
	poseHang     = "hang"     // never ready; ends when it is told to
	poseCrash    = "crash"    // fails at once
	poseStubborn = "stubborn" // never ready, and does not end when it is told to
	poseDeaf     = "deaf"     // ready, and then does not end when it is told to
)

// runPose misbehaves in the place of the program under test.
func runPose(ctx context.Context, flags *flag.FlagSet, args []string, out io.Writer) error {
	as := flags.String("as", "", "how to misbehave: hang, crash, stubborn or deaf")
	if err := parse(flags, args); err != nil {
		return err
	}
	if *as == poseStubborn || *as == poseDeaf {
		signal.Ignore(terminated)
	}
	fmt.Fprintln(out, "posing as one that does not behave:", *as)
	return pose(ctx, *as)
}

func pose(ctx context.Context, as string) error {
	switch as {
	case poseHang, poseStubborn:
		<-ctx.Done()
		return nil
	case poseDeaf:
		if err := notify(os.Getenv("NOTIFY_SOCKET"), "READY=1"); err != nil {
			return err
		}
		<-ctx.Done()
		return nil
	case poseCrash:
		return errors.New("crashed, as it was told to")
	}
	return fmt.Errorf("%w: -as %q", errUsage, as)
}

// notify sends a message to the service manager (sd_notify(3)). A name that begins
// with @ is in the abstract namespace, as the net package has it, too.
func notify(socket, message string) error {
	conn, err := net.Dial("unixgram", socket)
	if err != nil {
		return err
	}
	defer conn.Close()
	_, err = io.Copy(conn, strings.NewReader(message))
	return err
}
