//go:build linux || darwin

package cli

import (
	"io/fs"
	"os"
	"os/user"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// freeSpace returns how many bytes a user may still write in a folder.
func freeSpace(folder string) (uint64, bool) {
	var s unix.Statfs_t
	if err := unix.Statfs(folder, &s); err != nil {
		return 0, false
	}
	return uint64(s.Bavail) * uint64(s.Bsize), true
}

// ownerOf returns whose a file is, and whether that is the user of this process.
func ownerOf(info fs.FileInfo) (name string, mine bool) {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return "", true
	}
	id := strconv.FormatUint(uint64(st.Uid), 10)
	name = "user " + id
	if u, err := user.LookupId(id); err == nil {
		name = u.Username
	}
	return name, int(st.Uid) == os.Geteuid()
}
