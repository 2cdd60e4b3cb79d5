package main

import (
	"errors"
	"net"
	"path/filepath"
	"sync"

	"imds-analyzer/scripts/testbed"
)

// site is a topology with the service in it, and with what starts clients.
type site struct {
	*bench
	network  *network
	services []net.Listener
	running  []*running
	host     *launcher
	places   []*launcher // where clients run: the containers or, without, the host
}

func (b *bench) newSite(t topology) (*site, error) {
	s := &site{bench: b}
	if err := s.open(t); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

func (s *site) open(t topology) (err error) {
	if s.network, err = newNetwork(t); err != nil {
		return err
	}
	for _, name := range t.services {
		if err := s.serve(name); err != nil {
			return err
		}
	}
	s.host = hostLauncher(s.network.namespaces[t.watched], s.path)
	for _, c := range t.containers {
		place, err := s.addContainer(s.network.namespaces[c.namespace], c)
		if err != nil {
			return err
		}
		s.places = append(s.places, place)
	}
	if len(s.places) == 0 {
		s.places = []*launcher{s.host}
	}
	return nil
}

func (s *site) serve(name string) error {
	return s.network.in(name, func() error {
		service, err := net.Listen("tcp4", serviceAddress+":80")
		if err != nil {
			return err
		}
		s.services = append(s.services, service)
		go serve(service, s.delay)
		return nil
	})
}

func (s *site) addContainer(n *testbed.Namespace, c container) (*launcher, error) {
	procs, err := s.cgroups.add(c.cgroup)
	if err != nil {
		return nil, err
	}
	proc := filepath.Join(s.dir, "proc")
	r, err := newRunning(n, c, s.path, procs, proc)
	if err != nil {
		return nil, err
	}
	s.running = append(s.running, r)
	return &launcher{Namespace: r.Namespace, path: s.path, proc: proc, container: c, procs: procs}, nil
}

// launch has a launcher in each place start its share of the clients, as many
// launchers at once as clients, at most.
func (s *site) launch(o launch, take func(said []byte, in *launcher) error) error {
	width := min(o.atOnce, len(s.places))
	turns := make(chan struct{}, width)
	said := make([][]byte, len(s.places))
	failed := make([]error, len(s.places))
	var all sync.WaitGroup
	for i, place := range s.places {
		turns <- struct{}{}
		all.Go(func() {
			said[i], failed[i] = place.run(o.share(i, len(s.places), width))
			<-turns
		})
	}
	all.Wait()
	for i, place := range s.places {
		failed[i] = errors.Join(failed[i], take(said[i], place))
	}
	return errors.Join(failed...)
}

// close ends what runs in the site, and the site.
func (s *site) close() error {
	for _, service := range s.services {
		_ = service.Close()
	}
	err := s.endContainers()
	if s.network != nil {
		s.network.close()
	}
	s.network = nil
	return err
}

func (s *site) endContainers() error {
	for _, r := range s.running {
		r.close()
	}
	s.running = nil
	return s.cgroups.remove()
}

// startProgram starts the program under test where it is to watch.
func (s *site) startProgram(way string) (*program, error) {
	return startProgram(s.host.Namespace, s.binary, way, s.dir)
}
