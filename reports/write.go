package reports

import (
	"context"
	"os"
	"path/filepath"
)

// write makes the results file under the first free name for path.
func (j *job) write(ctx context.Context, path string) (string, error) {
	if !isCSV(path) && !isXLSX(path) {
		return "", endingError(path)
	}
	folder := filepath.Dir(path)
	shop, err := newWorkshop(folder)
	if err != nil {
		if !isFolder(folder) {
			return "", checkFolder(path, folder)
		}
		return "", folderError(path, folder, err)
	}
	// What cannot be removed now is swept up by the next report; the results
	// file itself is whole all the same.
	defer shop.remove()
	name, err := shop.make(path, func(f *os.File) error {
		if isCSV(path) {
			return j.saveCSV(ctx, f)
		}
		return j.saveBook(ctx, shop.dir, f)
	})
	if err != nil {
		return "", j.asError(path, err, j.need(shop.size(), j.done))
	}
	return name, nil
}

// need estimates how many bytes writing the file takes, from the size that the
// first done lines had.
func (j *job) need(size, done int64) int64 {
	all := j.Totals.Sum()
	perLine := int64(40 * (numColumns + len(j.inputHeader())))
	if done >= 1000 && size > 0 {
		perLine = size / done
	}
	// A workbook's sheets lie there unpacked until the file is complete.
	return perLine*all + perLine*all/5 + 1<<20
}
