// Package calls proves the house from outside: the built program, its commands and its API on one side; telephones,
// sipp and baresip on the other.
package calls

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/test/house"
)

// TestMain builds the program and runs the tests in a network of their own, when the system gives one: baresip
// does not work on loopback alone, and nothing outside can disturb the ports.
func TestMain(m *testing.M) {
	os.Exit(run(m))
}

const inside = "KAPOK_OWN_NETWORK"

func run(m *testing.M) int {
	if os.Getenv(inside) != "" {
		return m.Run()
	}
	dir, err := os.MkdirTemp("", "kapok-calls-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a temporary folder
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	program, err := house.Build(ctx, dir)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if err := os.Setenv("KAPOK_PROGRAM", program); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	network := ownNetwork()
	if network == nil {
		return m.Run()
	}
	cmd := exec.Command(network[0], append(network[1:], os.Args...)...)
	cmd.Env = append(os.Environ(), inside+"=1")
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "in a network of its own:", err)
		return 1
	}
	return 0
}

// ownNetwork gives the command that runs another in a network with loopback and one more address, nil where the
// system does not allow it.
func ownNetwork() []string {
	const up = `ip link set lo up && ip link add kapok0 type veth peer name kapok1 && ip addr add 10.77.0.1/24 dev kapok0 &&
		ip link set kapok0 up && ip link set kapok1 up && ip route add default via 10.77.0.2 dev kapok0 && exec "$@"`
	for _, flags := range []string{"-n", "-rn"} {
		c := []string{"unshare", flags, "sh", "-c", up, "sh"}
		if exec.Command(c[0], append(c[1:], "true")...).Run() == nil {
			return c
		}
	}
	return nil
}
