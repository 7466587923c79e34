package container

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
)

// UserSpec is how pod and image name a user.
type UserSpec struct {
	// Image is the image's USER: "uid", "uid:gid", "name" or "name:group".
	// It counts only if neither UID nor Name is set; empty means root.
	Image string
	// UID and Name are the pod's choice; UID wins.
	UID  *int64
	Name string
	// GID replaces the user's primary group.
	GID *int64
	// Groups are supplemental groups.
	Groups []int64
	// Strict leaves out the groups that /etc/group of the image adds.
	Strict bool
}

// User is who a process runs as.
type User struct {
	UID, GID int
	// Groups are the supplemental groups with the primary one among them.
	Groups []int
}

type account struct {
	name, home string
	uid, gid   int
}

// resolve looks the user up in the container's own files, which may be absent:
// numbers need no entry. The second result is its home directory.
func (s UserSpec) resolve(passwd, group string) (User, string, error) {
	accounts, err := readAccounts(passwd)
	if err != nil {
		return User{}, "", err
	}
	groups, err := readGroups(group)
	if err != nil {
		return User{}, "", err
	}
	who, who2 := s.wanted()
	a, err := findAccount(accounts, who)
	if err != nil {
		return User{}, "", err
	}
	u := User{UID: a.uid, GID: a.gid}
	switch {
	case s.GID != nil:
		u.GID = int(*s.GID)
	case who2 != "":
		if u.GID, err = findGroup(groups, who2); err != nil {
			return User{}, "", err
		}
	}
	u.Groups = append(u.Groups, u.GID)
	for _, g := range s.Groups {
		u.Groups = append(u.Groups, int(g))
	}
	if !s.Strict {
		u.Groups = append(u.Groups, memberships(groups, a.name)...)
	}
	slices.Sort(u.Groups)
	u.Groups = slices.Compact(u.Groups)
	return u, a.home, nil
}

// wanted is the user and, from the image alone, its group.
func (s UserSpec) wanted() (user, group string) {
	switch {
	case s.UID != nil:
		return strconv.FormatInt(*s.UID, 10), ""
	case s.Name != "":
		return s.Name, ""
	case s.Image == "":
		return "0", ""
	}
	user, group, _ = strings.Cut(s.Image, ":")
	return user, group
}

func findAccount(accounts []account, who string) (account, error) {
	uid, err := strconv.Atoi(who)
	numeric := err == nil && uid >= 0
	for _, a := range accounts {
		if a.name == who || numeric && a.uid == uid {
			return a, nil
		}
	}
	if numeric {
		return account{uid: uid, home: "/"}, nil
	}
	return account{}, fmt.Errorf("user %q: no such user in the container's /etc/passwd", who)
}

type groupEntry struct {
	name    string
	gid     int
	members []string
}

func findGroup(groups []groupEntry, who string) (int, error) {
	for _, g := range groups {
		if g.name == who {
			return g.gid, nil
		}
	}
	gid, err := strconv.Atoi(who)
	if err != nil || gid < 0 {
		return 0, fmt.Errorf("group %q: no such group in the container's /etc/group", who)
	}
	return gid, nil
}

func memberships(groups []groupEntry, name string) []int {
	var gids []int
	for _, g := range groups {
		if name != "" && slices.Contains(g.members, name) {
			gids = append(gids, g.gid)
		}
	}
	return gids
}

func readAccounts(path string) ([]account, error) {
	var accounts []account
	err := readColons(path, 7, func(f []string) {
		uid, uidErr := strconv.Atoi(f[2])
		gid, gidErr := strconv.Atoi(f[3])
		if uidErr == nil && gidErr == nil {
			accounts = append(accounts, account{name: f[0], home: f[5], uid: uid, gid: gid})
		}
	})
	return accounts, err
}

func readGroups(path string) ([]groupEntry, error) {
	var groups []groupEntry
	err := readColons(path, 4, func(f []string) {
		if gid, err := strconv.Atoi(f[2]); err == nil {
			groups = append(groups, groupEntry{name: f[0], gid: gid, members: strings.Split(f[3], ",")})
		}
	})
	return groups, err
}

// readColons hands over the lines that have the wanted number of fields; others
// are skipped, as the C library does.
func readColons(path string, fields int, line func([]string)) error {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look up the user: %w", err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if parts := strings.Split(lines.Text(), ":"); len(parts) == fields {
			line(parts)
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("look up the user in %s: %w", path, err)
	}
	return nil
}
