package leadsquared

import (
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"
)

// pipeConn counts nothing itself and writes as much as it is told to.
type pipeConn struct {
	net.Conn
	take  int
	err   error
	block chan struct{}
}

func (c *pipeConn) Write(p []byte) (int, error) {
	if c.block != nil {
		<-c.block
	}
	return min(c.take, len(p)), c.err
}

func TestCountedConn(t *testing.T) {
	t.Run("nothing written is sealed", func(t *testing.T) {
		c := &countedConn{Conn: &pipeConn{take: 100}}
		if !c.unmoved(0) {
			t.Fatal("moved")
		}
		if n, err := c.Write([]byte("x")); n != 0 || !errors.Is(err, errSealed) {
			t.Errorf("a sealed connection took %d bytes: %v", n, err)
		}
	})
	t.Run("a part written is counted", func(t *testing.T) {
		c := &countedConn{Conn: &pipeConn{take: 1, err: io.ErrShortWrite}}
		c.Write([]byte("xyz"))
		if c.unmoved(0) {
			t.Error("unmoved")
		}
		if !c.unmoved(1) {
			t.Error("moved since the mark")
		}
	})
	t.Run("a failed write of nothing does not count", func(t *testing.T) {
		c := &countedConn{Conn: &pipeConn{err: io.ErrClosedPipe}}
		c.Write([]byte("xyz"))
		if !c.unmoved(0) {
			t.Error("moved")
		}
	})
	t.Run("a write under way counts", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			block := make(chan struct{})
			c := &countedConn{Conn: &pipeConn{err: io.ErrClosedPipe, block: block}}
			done := make(chan struct{})
			go func() { c.Write([]byte("x")); close(done) }()
			synctest.Wait()
			if c.unmoved(0) {
				t.Error("unmoved while a write is under way")
			}
			close(block)
			<-done
		})
	})
	t.Run("above TLS the ciphertext counts", func(t *testing.T) {
		raw := &countedConn{Conn: &pipeConn{take: 100}}
		c := &countedConn{Conn: raw, below: raw}
		raw.Write([]byte("alert")) // not by way of c
		if !c.unmoved(0) {
			t.Error("an alert counts as a request")
		}
		c = &countedConn{Conn: raw, below: raw}
		c.Write([]byte("x"))
		if c.unmoved(0) {
			t.Error("unmoved")
		}
	})
}
