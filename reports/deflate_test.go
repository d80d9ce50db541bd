package reports

import (
	"bytes"
	"compress/flate"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"testing"
)

// TestDeflater reads what was packed with the standard library, and packs the
// same with any number of processors.
func TestDeflater(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, size := range []int{0, 1, deflateBlock - 1, deflateBlock, deflateBlock + 1, 3*deflateBlock + deflateBlock/2} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			plain := make([]byte, size)
			for i := range plain {
				plain[i] = "<c r=0123456789>"[r.IntN(16)]
			}
			var packed [2]bytes.Buffer
			for i, processors := range []int{1, 3} {
				before := runtime.GOMAXPROCS(processors)
				d, err := newDeflater(&packed[i], bulkDeflateLevel)
				for rest := plain; err == nil && len(rest) > 0; {
					n := min(1+r.IntN(deflateBlock), len(rest))
					_, err = d.Write(rest[:n])
					rest = rest[n:]
				}
				if err == nil {
					err = d.Close()
				}
				runtime.GOMAXPROCS(before)
				if err != nil {
					t.Fatal(err)
				}
			}
			if !bytes.Equal(packed[0].Bytes(), packed[1].Bytes()) {
				t.Error("the number of processors changes what is written")
			}
			if got, err := io.ReadAll(flate.NewReader(&packed[0])); err != nil || !bytes.Equal(got, plain) {
				t.Errorf("read %d bytes back, want the %d that were packed (%v)", len(got), size, err)
			}
		})
	}
}

// TestDeflaterTellsErrors fails on a disk that takes some of the blocks.
func TestDeflaterTellsErrors(t *testing.T) {
	for after := range 3 {
		d, err := newDeflater(&fullDisk{after}, bulkDeflateLevel)
		for i := 0; err == nil && i < 8; i++ {
			_, err = d.Write(make([]byte, deflateBlock/2))
		}
		if err == nil {
			err = d.Close()
		}
		if !errors.Is(err, errFull) {
			t.Errorf("a disk that is full after %d blocks gives %v", after, err)
		}
	}
}

// TestDeflaterEndsWithItsError goes on after a write that failed: nothing more is packed
// or written, for the block that it met may still be in other hands.
func TestDeflaterEndsWithItsError(t *testing.T) {
	disk := &fullDisk{}
	d, err := newDeflater(disk, bulkDeflateLevel)
	for i := 0; err == nil && i <= runtime.GOMAXPROCS(0); i++ {
		_, err = d.Write(make([]byte, deflateBlock))
	}
	for range 3 {
		if !errors.Is(err, errFull) {
			t.Fatalf("a full disk gives %v", err)
		}
		_, err = d.Write(make([]byte, deflateBlock))
	}
	if err := d.Close(); !errors.Is(err, errFull) {
		t.Errorf("Close gives %v", err)
	}
	if disk.left != -1 {
		t.Errorf("%d writes after the one that failed", -1-disk.left)
	}
}

var errFull = errors.New("no space left")

// fullDisk takes so many writes and no more.
type fullDisk struct{ left int }

func (f *fullDisk) Write(b []byte) (int, error) {
	if f.left--; f.left < 0 {
		return 0, errFull
	}
	return len(b), nil
}
