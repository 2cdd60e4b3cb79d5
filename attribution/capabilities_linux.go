package attribution

import "golang.org/x/sys/unix"

// hasCapability reports whether a capability is in effect (capget(2)).
func hasCapability(capability int) bool {
	var data [2]unix.CapUserData // 32 capabilities each
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	if err := unix.Capget(&header, &data[0]); err != nil {
		return false
	}
	return data[capability/32].Effective&(1<<(capability%32)) != 0
}
