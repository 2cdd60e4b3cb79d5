/*
 * What libpcap asks the C library about names, answered without it: addresses and
 * ports in numbers are read, and no name is known. The program's filters hold
 * numbers alone (capture/filter.go). The C library's own functions load more of it
 * at run time, of the very version that was linked, which a static program cannot
 * rely on; with these in libpcap's archive none of that is linked.
 *
 * getaddrinfo(3), gethostbyname(3), getnetbyname_r(3), getprotobyname_r(3),
 * ether_hostton(3).
 */
#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/ether.h>
#include <netinet/in.h>
#include <stdlib.h>

/* answer is one address, with room for it behind the entry that leads to it. */
struct answer {
	struct addrinfo info;
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} address;
};

/* read_address reads an address in numbers; no node is the address of all zeros. */
static int read_address(struct answer *a, const char *node)
{
	if (node == NULL || inet_pton(AF_INET, node, &a->address.v4.sin_addr) == 1) {
		a->address.any.sa_family = AF_INET;
		a->info.ai_addrlen = sizeof a->address.v4;
		return 1;
	}
	if (inet_pton(AF_INET6, node, &a->address.v6.sin6_addr) == 1) {
		a->address.any.sa_family = AF_INET6;
		a->info.ai_addrlen = sizeof a->address.v6;
		return 1;
	}
	return 0;
}

/* read_port reads a port in numbers; both families have it in the same place. */
static int read_port(struct answer *a, const char *service)
{
	char *end;
	unsigned long port;

	if (service == NULL)
		return 1;
	port = strtoul(service, &end, 10);
	if (end == service || *end != '\0' || port > 65535)
		return 0;
	a->address.v4.sin_port = htons((in_port_t)port);
	return 1;
}

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **found)
{
	struct answer *a = calloc(1, sizeof *a);

	if (a == NULL)
		return EAI_MEMORY;
	if (!read_address(a, node) || !read_port(a, service) ||
	    (hints != NULL && hints->ai_family != AF_UNSPEC && hints->ai_family != a->address.any.sa_family)) {
		free(a);
		return EAI_NONAME;
	}
	a->info.ai_family = a->address.any.sa_family;
	a->info.ai_addr = &a->address.any;
	if (hints != NULL) {
		a->info.ai_socktype = hints->ai_socktype;
		a->info.ai_protocol = hints->ai_protocol;
	}
	*found = &a->info;
	return 0;
}

/* The entry is the first member of its answer, so that both begin at one address. */
void freeaddrinfo(struct addrinfo *found) { free(found); }

struct hostent *gethostbyname(const char *name)
{
	(void)name;
	return NULL;
}

int getnetbyname_r(const char *name, struct netent *entry, char *room, size_t size, struct netent **found, int *error)
{
	(void)name, (void)entry, (void)room, (void)size;
	*found = NULL;
	*error = HOST_NOT_FOUND;
	return 0;
}

int getprotobyname_r(const char *name, struct protoent *entry, char *room, size_t size, struct protoent **found)
{
	(void)name, (void)entry, (void)room, (void)size;
	*found = NULL;
	return 0;
}

int ether_hostton(const char *name, struct ether_addr *address)
{
	(void)name, (void)address;
	return -1;
}
