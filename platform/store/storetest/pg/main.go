// Command pg runs a command with TEST_POSTGRES set to a PostgreSQL cluster that lives as long as it:
//
//	go run ./platform/store/storetest/pg go test ./...
package main

import (
	"errors"
	"log"
	"os"
	"os/exec"

	"github.com/kapok-hotline/kapok/platform/store/storetest"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) < 2 {
		log.Fatal("usage: pg COMMAND [ARGUMENTS]")
	}
	code, err := run(os.Args[1:])
	if err != nil {
		log.Print(err)
	}
	os.Exit(code)
}

func run(command []string) (int, error) {
	address, stop, err := storetest.Start()
	if err != nil {
		return 1, err
	}
	defer stop()
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), "TEST_POSTGRES="+address)
	err = cmd.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exit.ExitCode(), nil
	}
	if err != nil {
		return 1, err
	}
	return 0, nil
}
