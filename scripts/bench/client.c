//go:build ignore

// The clients of the attribution benchmark, and what starts them. In C and
// linked statically, because they have to be short: one lives for about half a
// millisecond, where a program in Go needs one to start. (The first line is
// for the go command, which would take this file for a part of the package.)

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

// A client is killed after this many seconds: nothing here takes ten.
enum { client_seconds = 60 };

static void fail(const char *what) {
	perror(what);
	_exit(1);
}

static int number(const char *text) { return (int)strtol(text, NULL, 10); }

// host_pid is the pid of this process in the pid namespace that the proc file
// system belongs to (proc_pid(5), /proc/self).
static int host_pid(const char *proc) {
	char path[512], pid[16];
	snprintf(path, sizeof path, "%s/self", proc);
	ssize_t length = readlink(path, pid, sizeof pid - 1);
	if (length <= 0) fail(path);
	pid[length] = 0;
	return number(pid);
}

// connected is a new connection to the service.
static int connected(void) {
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(80)};
	inet_pton(AF_INET, "169.254.169.254", &to.sin_addr);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0) fail("socket");
	if (connect(fd, (struct sockaddr *)&to, sizeof to) < 0) fail("connect");
	return fd;
}

// Every request names its caller: BASE/PID/VPID/N is the Nth call of the client
// whose base this is, made by the process that is PID on the host, and VPID in
// its container.

static const char *host_proc; // the host's /proc
static int pid;

static void know_pid(void) { pid = host_pid(host_proc); }

static void request(int fd, const char *format, const char *base, int n) {
	char text[512];
	int length = snprintf(text, sizeof text, format, base, pid, (int)getpid(), n);
	if (write(fd, text, (size_t)length) != length) fail("write");
}

#define GET "GET %s/%d/%d/%d HTTP/1.1\r\nHost: 169.254.169.254\r\n"
#define PUT "PUT /latest/api/token?for=%s/%d/%d/%d HTTP/1.1\r\nHost: 169.254.169.254\r\n"
static const char get[] = GET "\r\n";
static const char get_with_token[] = GET "X-aws-ec2-metadata-token: benchmark\r\n\r\n";
static const char put[] = PUT "X-aws-ec2-metadata-token-ttl-seconds: 60\r\nContent-Length: 0\r\n\r\n";

// answer reads a whole answer, which has to be good.
static void answer(int fd) {
	char text[1024];
	size_t length = 0;
	for (;;) {
		ssize_t n = read(fd, text + length, sizeof text - 1 - length);
		if (n <= 0) fail("read");
		text[length += (size_t)n] = 0;
		char *end = strstr(text, "\r\n\r\n"), *field = strstr(text, "Content-Length: ");
		if (end && field && text + length >= end + 4 + number(field + 16)) break;
	}
	if (!strstr(text, " 200 ")) fail("the service's answer is not 200");
}

static void call(int fd, const char *format, const char *base, int n) {
	request(fd, format, base, n);
	answer(fd);
}

static void token(const char *base, int connections) {
	int fd = connected();
	call(fd, put, base, 0);
	if (connections == 2) {
		close(fd);
		fd = connected();
	}
	call(fd, get_with_token, base, 1);
}

// forks has its children call, which run what it runs: there is no execve(2).
static void forks(const char *base, int children) {
	for (int n = 0; n < children; n++) {
		pid_t child = fork();
		if (child < 0) fail("fork");
		if (child > 0) continue;
		alarm(client_seconds); // is not inherited (alarm(2))
		know_pid();
		call(connected(), get, base, n);
		_exit(0);
	}
	for (int status; wait(&status) > 0;)
		if (status != 0) _exit(1);
}

// agent lives on from call to call. The first and the last go over a connection
// that it keeps, the others over a new one each.
static void agent(const char *base, int calls) {
	int kept = connected();
	call(kept, get, base, 0);
	for (int n = 1; n < calls - 1; n++) {
		int fd = connected();
		call(fd, get, base, n);
		close(fd);
		usleep(2000);
	}
	if (calls > 1) call(kept, get, base, calls - 1);
}

// act is a client of one kind.
static void act(const char *kind, const char *base, int count) {
	if (!strcmp(kind, "nothing")) _exit(0);
	alarm(client_seconds);
	know_pid();
	if (!strcmp(kind, "get")) call(connected(), get, base, 0);
	else if (!strcmp(kind, "unread")) request(connected(), get, base, 0);
	else if (!strcmp(kind, "token")) token(base, 1);
	else if (!strcmp(kind, "token2")) token(base, 2);
	else if (!strcmp(kind, "fork")) forks(base, count);
	else if (!strcmp(kind, "agent")) agent(base, count);
	else fail(kind);
	_exit(0);
}

// run becomes the command as the user, with sequence in the place of each @.
static void run(char **command, const char *sequence, int uid) {
	for (char **word = command; *word; word++) {
		char *at = strchr(*word, '@');
		if (at && asprintf(word, "%.*s%s%s", (int)(at - *word), *word, sequence, at + 1) < 0) fail("asprintf");
	}
	if (uid && (setgroups(0, NULL) || setgid((gid_t)uid) || setuid((uid_t)uid))) fail("setuid");
	prctl(PR_SET_PDEATHSIG, SIGKILL); // after setuid, which clears it (prctl(2))
	execvp(command[0], command);
	fail(command[0]);
}

// uid_of picks the users in turn from a list: 0,1,65534.
static int uid_of(const char *list, int sequence) {
	int users = 1;
	for (const char *c = list; *c; c++) users += *c == ',';
	for (int skip = sequence % users; skip > 0; skip--) list = strchr(list, ',') + 1;
	return number(list);
}

// started is what is known of a client: its pids on the host and in its container.
struct started { int pid, vpid; };

// start starts a client, which says who it is before it becomes the command: in
// memory that it shares with the launcher, because that does not know the pid on
// the host, and because it takes no time of the client's life.
static void start(char **command, int sequence, int uid, struct started *who) {
	char text[16];
	snprintf(text, sizeof text, "%d", sequence);
	pid_t child = fork();
	if (child < 0) fail("fork");
	if (child > 0) return;
	*who = (struct started){host_pid(host_proc), (int)getpid()};
	run(command, text, uid);
}

// reap takes leave of one client as soon as it has ended, like a shell.
static void reap(void) {
	int status;
	pid_t child = wait(&status);
	if (child > 0 && status != 0) printf("failed %d %d\n", (int)child, status);
}

// pause_until sleeps until the start of a client that is due after so many
// intervals.
static void pause_until(struct timespec due, long long microseconds) {
	long long nanoseconds = due.tv_nsec + microseconds % 1000000 * 1000;
	due.tv_sec += microseconds / 1000000 + nanoseconds / 1000000000;
	due.tv_nsec = nanoseconds % 1000000000;
	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
}

// say prints "SEQUENCE PID VPID UID" of each client.
static void say(const struct started *clients, int first, int count, const char *uids) {
	for (int i = 0; i < count; i++)
		printf("%d %d %d %d\n", first + i, clients[i].pid, clients[i].vpid, uid_of(uids, first + i));
	if (fflush(stdout)) fail("stdout");
}

// spawn runs the command count times, at_once at a time, as the clients from
// first on. With an interval, in microseconds, it starts no more than one in each.
static void spawn(int at_once, int first, int count, int interval, const char *uids, char **command) {
	struct started *clients = mmap(NULL, (size_t)count * sizeof *clients, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (clients == MAP_FAILED) fail("mmap");
	struct timespec begin;
	clock_gettime(CLOCK_MONOTONIC, &begin);
	for (int i = 0; i < count; i++) {
		if (i >= at_once) reap();
		if (interval) pause_until(begin, (long long)i * interval);
		start(command, first + i, uid_of(uids, first + i), &clients[i]);
	}
	for (int left = count < at_once ? count : at_once; left > 0; left--) reap();
	say(clients, first, count, uids);
}

// sleeper holds files: half of them sockets, half /dev/null.
static void sleeper(int files, int ready) {
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (int i = 0; i < files; i++)
		if ((i % 2 ? socket(AF_INET, SOCK_STREAM, 0) : open("/dev/null", O_RDONLY)) < 0) fail("open");
	if (write(ready, "", 1) != 1) fail("write");
	close(ready);
	for (;;) pause();
}

// sleepers says "ready" once all of them sleep, and ends them, each by its pid,
// at the end of standard input.
static void sleepers(int count, int files) {
	int ready[2];
	char byte;
	pid_t *pids = calloc((size_t)count, sizeof *pids);
	if (!pids || pipe(ready)) fail("sleepers");
	for (int i = 0; i < count; i++) {
		if ((pids[i] = fork()) < 0) fail("fork");
		if (pids[i] == 0) sleeper(files, ready[1]);
	}
	for (int i = 0; i < count; i++)
		if (read(ready[0], &byte, 1) != 1) fail("read");
	puts("ready");
	fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0) {}
	for (int i = 0; i < count; i++) kill(pids[i], SIGKILL);
	while (wait(NULL) > 0) {}
}

// init is the first process of a container, which is there until the end of
// standard input, and all others of its pid namespace as long. It puts a /proc of
// its own in the place of the host's, which goes to another directory.
static void init(const char *proc) {
	char byte;
	signal(SIGCHLD, SIG_IGN); // what has lost its parent is reaped (wait(2))
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL)) fail("mount /");
	if (mount("/proc", proc, NULL, MS_BIND, NULL)) fail(proc);
	if (mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL)) fail("mount /proc");
	puts("ready");
	fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0) {}
}

// enter moves this process to the cgroup with that file cgroup.procs (cgroups(7)).
// It will end with its parent.
static void enter(const char *procs) {
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	int fd = open(procs, O_WRONLY);
	if (fd < 0 || write(fd, "0", 1) != 1) fail(procs);
	close(fd);
}

static const char usage[] = "usage: client KIND BASE PROC [CALLS]\n"
	"       client spawn PROC AT_ONCE FIRST COUNT INTERVAL UIDS COMMAND...\n"
	"       client sleepers COUNT FILES\n"
	"       client init PROC\n"
	"       client in CGROUP.PROCS ...\n";

int main(int argc, char **argv) {
	if (argc > 3 && !strcmp(argv[1], "in")) {
		enter(argv[2]);
		argc -= 2, argv += 2;
	}
	if (argc >= 9 && !strcmp(argv[1], "spawn")) {
		host_proc = argv[2];
		spawn(number(argv[3]), number(argv[4]), number(argv[5]), number(argv[6]), argv[7], argv + 8);
	} else if (argc == 4 && !strcmp(argv[1], "sleepers")) sleepers(number(argv[2]), number(argv[3]));
	else if (argc == 3 && !strcmp(argv[1], "init")) init(argv[2]);
	else if (argc == 4 || argc == 5) {
		host_proc = argv[3];
		act(argv[1], argv[2], argc == 5 ? number(argv[4]) : 0);
	} else {
		fputs(usage, stderr);
		return 2;
	}
}
