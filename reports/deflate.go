package reports

import (
	"bytes"
	"io"
	"runtime"

	"github.com/klauspost/compress/flate"
)

// deflateBlock is how much of a part is packed at a time. A block knows nothing
// of the one before, which costs about a hundredth of the size.
const deflateBlock = 1 << 20

// deflater packs a part's blocks side by side and writes them in their order.
type deflater struct {
	w       io.Writer
	level   int
	block   *block   // being filled
	packing []*block // oldest first; no more than there are processors
	err     error    // the first that there was: the block that it met is no longer to be filled
}

// block is a piece of a part.
type block struct {
	plain, packed bytes.Buffer
	fw            *flate.Writer
	done          chan error
}

func newDeflater(w io.Writer, level int) (*deflater, error) {
	d := &deflater{w: w, level: level}
	return d, d.next()
}

// next makes room for the next block.
func (d *deflater) next() error {
	if len(d.packing) == runtime.GOMAXPROCS(0) {
		return d.write()
	}
	var fw *flate.Writer
	fw, d.err = flate.NewWriter(nil, d.level)
	d.block = &block{fw: fw, done: make(chan error, 1)}
	return d.err
}

func (d *deflater) Write(p []byte) (int, error) {
	all := len(p)
	if d.err != nil {
		return 0, d.err
	}
	for len(p) > 0 {
		n := min(len(p), deflateBlock-d.block.plain.Len())
		d.block.plain.Write(p[:n])
		if p = p[n:]; d.block.plain.Len() < deflateBlock {
			break
		}
		// Flush ends at a whole byte, where the next block can begin.
		d.pack((*flate.Writer).Flush)
		if err := d.next(); err != nil {
			return 0, err
		}
	}
	return all, nil
}

// Close packs what is left and writes the rest.
func (d *deflater) Close() error {
	if d.err != nil {
		return d.err
	}
	d.pack((*flate.Writer).Close)
	for len(d.packing) > 0 {
		if err := d.write(); err != nil {
			return err
		}
	}
	return nil
}

// pack begins to pack the block that was filled.
func (d *deflater) pack(end func(*flate.Writer) error) {
	b := d.block
	d.packing = append(d.packing, b)
	go func() {
		b.fw.Reset(&b.packed)
		_, err := b.fw.Write(b.plain.Bytes())
		if err == nil {
			err = end(b.fw)
		}
		b.done <- err
	}()
}

// write writes the oldest block, which then serves again.
func (d *deflater) write() error {
	b := d.packing[0]
	d.packing = d.packing[1:]
	if d.err = <-b.done; d.err == nil {
		_, d.err = b.packed.WriteTo(d.w)
	}
	if d.err != nil {
		return d.err
	}
	b.plain.Reset()
	b.packed.Reset()
	d.block = b
	return nil
}
