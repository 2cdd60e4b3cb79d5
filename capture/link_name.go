package capture

// Name says in words what a link type is that is not read, as far as people can
// come by such captures; it is empty for others.
func (t LinkType) Name() string {
	switch t {
	case 6:
		return "Token Ring"
	case 9, 50, 166:
		return "PPP"
	case 10:
		return "FDDI"
	case 51:
		return "PPPoE"
	case 105, 119, 127, 163, 192:
		return "IEEE 802.11, as in monitor mode"
	case 187, 201, 254, 255:
		return "Bluetooth"
	case 189, 220, 249, 266:
		return "USB"
	case 195, 215, 230, 283:
		return "IEEE 802.15.4"
	case 227:
		return "CAN"
	case 231:
		return "D-Bus"
	case 247:
		return "InfiniBand"
	case 252:
		return "Wireshark's upper PDUs"
	case 253:
		return "netlink"
	case 271:
		return "vsock"
	}
	if t >= 147 && t <= 162 {
		return "private use"
	}
	return ""
}
