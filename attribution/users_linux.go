package attribution

import (
	"bufio"
	"fmt"
	"os"
	"sync"
	"time"
)

// maxUsers names are remembered, of 32 bytes at most: 64 KiB with their map.
const maxUsers = 1 << 10

// users remembers the names of users that were looked up, as long as the file
// that has them does not change.
type users struct {
	file string // in the format of passwd(5)

	mu      sync.Mutex // guards what follows
	changed time.Time
	size    int64
	names   map[uint32]string
}

// name returns the name of a user, "" if it is not known.
func (u *users) name(id uint32) string {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.refresh()
	name, known := u.names[id]
	if !known {
		name, _ = userName(u.file, id)
		u.names[id] = name
	}
	return name
}

// refresh forgets the names if the file may have others. The caller holds mu.
func (u *users) refresh() {
	var changed time.Time
	var size int64
	if info, err := os.Stat(u.file); err == nil {
		changed, size = info.ModTime(), info.Size()
	}
	if u.names == nil || !changed.Equal(u.changed) || size != u.size || len(u.names) >= maxUsers {
		u.names, u.changed, u.size = make(map[uint32]string), changed, size
	}
}

// userName looks the user up in a file in the format of passwd(5). Users that
// only a directory service knows stay without name: asking one can take
// seconds, and goes over the network.
func userName(passwd string, id uint32) (string, error) {
	file, err := os.Open(passwd)
	if err != nil {
		return "", err
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		if name, ok := parseUserName(lines.Text(), id); ok {
			return name, nil
		}
	}
	if err := lines.Err(); err != nil {
		return "", fmt.Errorf("read %s: %w", passwd, err)
	}
	return "", nil
}
