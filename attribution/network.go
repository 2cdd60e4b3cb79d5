package attribution

import "errors"

// Network is a network namespace other than the program's own.
type Network struct {
	// Name is how processes in it are told by /proc/PID/ns/net (namespaces(7)).
	Name string

	dir string // of a process in it, in /proc
}

// ErrMoved says that a process is not in the network namespace any more in which it was seen:
// it has gone to another one (setns(2), unshare(2)).
var ErrMoved = errors.New("the process is in another network namespace")

// FollowFunc is called with a network namespace that a process was seen in, in
// which packets may have to be captured: connections whose packets are then have
// it as their Tuple's Network. It returns what is to be called once, when no
// process is in it any more, or nil if it is of no interest: then it is asked
// again later, and soon if the namespace is unfinished. While it is left, it can be called with
// the same namespace again, for processes that came meanwhile. Until it has returned, no
// other namespace is looked at.
type FollowFunc func(Network) (leave func(), unfinished bool)
