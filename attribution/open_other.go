//go:build !linux

package attribution

// Open returns a Resolver that can find no process.
func Open(Options) (Resolver, error) {
	return newResolver(nil, []string{"Processes are found on Linux only."}), nil
}
