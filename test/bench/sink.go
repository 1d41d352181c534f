package main

import (
	"net"
	"sync/atomic"

	"golang.org/x/net/ipv4"
)

// sink is a socket that hears media and only counts it.
type sink struct {
	conn    *net.UDPConn
	port    int
	packets atomic.Int64
	done    chan struct{}
}

const batch = 64 // datagrams a system call reads or writes

func newSink() (*sink, error) {
	conn, err := listen()
	if err != nil {
		return nil, err
	}
	s := &sink{conn: conn, port: conn.LocalAddr().(*net.UDPAddr).Port, done: make(chan struct{})}
	go func() {
		defer close(s.done)
		c, in := ipv4.NewPacketConn(conn), letters()
		for {
			n, err := c.ReadBatch(in, 0)
			if err != nil {
				return
			}
			s.packets.Add(int64(n))
		}
	}()
	return s, nil
}

// letters makes the room for a batch.
func letters() []ipv4.Message {
	m := make([]ipv4.Message, batch)
	for i := range m {
		m[i].Buffers = [][]byte{make([]byte, 512)}
	}
	return m
}

func (s *sink) close() {
	_ = s.conn.Close() // ends the reading
	<-s.done
}
