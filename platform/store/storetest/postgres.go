package storetest

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// cluster is a running PostgreSQL; holding stop holds its lifeline open.
type cluster struct {
	address string
	stop    func()
}

// shared gives the cluster all tests of this binary use. One that was started here ends with the binary.
var shared = sync.OnceValues(func() (*cluster, error) {
	if address := os.Getenv("TEST_POSTGRES"); address != "" {
		return &cluster{address: address}, nil
	}
	address, stop, err := Start()
	return &cluster{address, stop}, err
})

// errMissing tells what to install.
var errMissing = errors.New("PostgreSQL 15 or later is needed by the tests and was not found: " +
	"install it (Debian, Ubuntu: apt-get install postgresql) or name a running one in TEST_POSTGRES " +
	"(postgres://user:password@host/database, by a user that may create databases)")

// supervisor starts the server $1/postgres on the folder $2 and stops it, and clears the folder away, when its
// standard input ends: which it does when the process that started it ends, in whatever way.
const supervisor = `"$1"/postgres -D "$2/data" -k "$2" -c listen_addresses= -c fsync=off -c full_page_writes=off \
 -c synchronous_commit=off -c max_connections=300 -c shared_buffers=64MB -c logging_collector=off >"$2/log" 2>&1 </dev/null &
server=$!
cat >/dev/null
kill -QUIT $server
wait $server
rm -rf "$2"`

// Start makes and starts a PostgreSQL cluster in a temporary folder, reachable by a Unix socket alone, without
// safety against power cuts, and gives its address. It ends with stop or with the calling process. Root runs
// it as the user postgres, for PostgreSQL refuses root.
func Start() (address string, stop func(), err error) {
	bin, err := binaries()
	if err != nil {
		return "", nil, err
	}
	who, err := servant()
	if err != nil {
		return "", nil, err
	}
	dir, err := os.MkdirTemp("", "kapok-pg")
	if err != nil {
		return "", nil, err
	}
	if who != nil {
		if err := os.Chown(dir, int(who.Uid), int(who.Gid)); err != nil {
			return "", nil, err
		}
	}
	initdb := exec.Command(filepath.Join(bin, "initdb"), "-D", filepath.Join(dir, "data"), "-U", "postgres",
		"--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync")
	initdb.SysProcAttr, initdb.Dir = &syscall.SysProcAttr{Credential: who}, dir
	if out, err := initdb.CombinedOutput(); err != nil {
		return "", nil, errors.Join(fmt.Errorf("initdb: %w: %s", err, out), os.RemoveAll(dir))
	}
	server := exec.Command("/bin/sh", "-c", supervisor, "sh", bin, dir)
	// A group of its own, so that an interrupt at the terminal reaches the tests first and the server by them.
	server.SysProcAttr, server.Dir = &syscall.SysProcAttr{Credential: who, Setpgid: true}, dir
	life, err := server.StdinPipe()
	if err != nil {
		return "", nil, err
	}
	if err := server.Start(); err != nil {
		return "", nil, err
	}
	stop = func() {
		_ = life.Close()
		_ = server.Wait()
	}
	address = "postgres://postgres@/postgres?host=" + url.QueryEscape(dir)
	if err := await(address); err != nil {
		text, _ := os.ReadFile(filepath.Join(dir, "log"))
		stop()
		return "", nil, fmt.Errorf("PostgreSQL does not start: %w: %s", err, text)
	}
	return address, stop, nil
}

// binaries gives the folder with initdb and postgres, the newest version first.
func binaries() (string, error) {
	for version := 30; version >= 15; version-- {
		v := strconv.Itoa(version)
		for _, dir := range []string{"/usr/lib/postgresql/" + v + "/bin", "/usr/pgsql-" + v + "/bin", "/opt/homebrew/opt/postgresql@" + v + "/bin"} {
			if _, err := os.Stat(filepath.Join(dir, "initdb")); err == nil {
				return dir, nil
			}
		}
	}
	if path, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(path), nil
	}
	return "", errMissing
}

// servant gives the credentials of the user postgres when we are root, else nil: run as we are.
func servant() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return nil, fmt.Errorf("PostgreSQL refuses to run as root and there is no user postgres: %w", err)
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return nil, err
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}

func await(address string) error {
	end := time.Now().Add(30 * time.Second)
	for {
		err := administer(address, `SELECT 1`)
		if err == nil || time.Now().After(end) {
			return err
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func administer(address, text string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, address)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	_, err = conn.Exec(ctx, text)
	return err
}

// inCluster gives the address of another database in the cluster of address.
func inCluster(address, database string) (string, error) {
	u, err := url.Parse(address)
	if err != nil {
		return "", fmt.Errorf("TEST_POSTGRES is not an address like postgres://user:password@host/database: %w", err)
	}
	u.Path = "/" + database
	return u.String(), nil
}
