package app

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/kapok-hotline/kapok/platform/bus"
	"github.com/kapok-hotline/kapok/platform/clock"
	"github.com/kapok-hotline/kapok/platform/conf"
	"github.com/kapok-hotline/kapok/platform/logx"

	"github.com/kapok-hotline/kapok/core/id"
)

// runWitness keeps the third copy of live state and the third vote, so that two processes can go on when one of them
// is lost. It serves nobody and needs no database.
func runWitness(ctx context.Context, cfg conf.Config, c *call) error {
	log := logx.New(c.err, cfg.Log.Level, cfg.Log.JSON, id.Node(cfg.Node))
	h := &House{
		o: Options{
			Data: cfg.Data, Node: id.Node(cfg.Node),
			Cluster: Cluster{Listen: cfg.Cluster, Join: cfg.Join, Secret: cfg.ClusterSecret},
		},
		log: log, clock: clock.System(),
	}
	b, err := bus.Open(ctx, h.busConfig(filepath.Join(cfg.Data, "bus")))
	if err != nil {
		return err
	}
	defer b.Close()
	fmt.Fprintf(c.out, "Kapok %s\n  witness %s at %s\n", Version(), cfg.Node, cfg.Cluster)
	<-ctx.Done()
	return nil
}
