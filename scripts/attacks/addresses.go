package main

// The addresses in the network namespace. All but the service's are for private use.
const (
	service4     = "169.254.169.254"
	service6     = "fd00:ec2::254"
	honestAddr   = "10.0.0.1"     // of honest clients
	probeAddr    = "10.0.0.2"     // from which it is tried whether the program captures
	localRange   = "10.2.0.0/16"  // from which an attacker's sockets may call
	local6Range  = "fd00:2::/64"  // the same for IPv6
	tunnelRange  = "10.128.0.0/9" // behind the interface of an attacker who makes packets
	tunnel6Range = "fd00:128::/64"
)
