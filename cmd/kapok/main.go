// Kapok runs a public-service hotline: see `kapok help`.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/kapok-hotline/kapok/app"
)

func main() {
	lazyTimers(os.Args)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := app.Main(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}
