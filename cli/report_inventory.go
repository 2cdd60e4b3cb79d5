package cli

import (
	"context"
	"errors"
	"fmt"

	"imds-analyzer/capture"
	"imds-analyzer/report/instances"
)

// checkInventory reads --group-by, and tests it with --inventory.
func (o *reportOptions) checkInventory() (err error) {
	for _, name := range o.inventory {
		if name == "" || name == standardInput {
			return errors.New("--inventory needs the name of a file")
		}
	}
	switch {
	case o.groupBy == "":
		return nil
	case len(o.inventory) == 0:
		return errors.New("--group-by is for what --inventory lists")
	}
	if o.grouping, err = instances.ParseGrouping(o.groupBy); err != nil {
		return fmt.Errorf("--group-by is %w", err)
	}
	return nil
}

// readInventory reads the lists of instances; nil if there are none. One that cannot be
// read, or not to its end, is an error: which instances are silent would be wrong.
func (o *reportOptions) readInventory(ctx context.Context, from origin) (*instances.List, error) {
	if len(o.inventory) == 0 {
		return nil, nil
	}
	list := instances.New(o.grouping)
	for _, name := range o.inventory {
		if err := readList(ctx, from, name, list); err != nil {
			return nil, fmt.Errorf("cannot read the inventory %s: %w", name, err)
		}
	}
	return list, nil
}

// checkInventoryStays refuses to write to a list.
func (o *reportOptions) checkInventoryStays() error {
	for _, name := range o.inventory {
		if o.output != "" && sameFile(name, o.output) {
			return usageError{fmt.Errorf("%s is both read and written", name)}
		}
	}
	return nil
}

// readList waits for who writes a list, as that may be a pipe, until ctx ends.
func readList(ctx context.Context, from origin, name string, list *instances.List) error {
	read := make(chan error, 1)
	go func() { read <- readListFile(from, name, list) }()
	select {
	case err := <-read:
		return err
	case <-ctx.Done():
		return errEndedEarly
	}
}

func readListFile(from origin, name string, list *instances.List) error {
	file, err := from.Open(name)
	if err != nil {
		return cause(err)
	}
	defer file.Close()
	unpacked, err := capture.Unpack(file)
	if err == nil {
		err = list.Read(unpacked)
	}
	switch {
	case errors.Is(err, capture.ErrTruncated):
		return errors.New("it is cut off: its compression has no end")
	case errors.Is(err, capture.ErrDamaged):
		return errors.New("it is damaged: its compression is not what it should be")
	}
	return cause(err)
}
