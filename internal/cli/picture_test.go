package cli

import (
	"bytes"
	"image"
	"image/color/palette"
	"image/draw"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"leadload/internal/fault"
)

// TestPicture draws the picture of the sheet Failed that README and manual show:
// LEADLOAD_PICTURE=1 go test ./internal/cli -run Picture, with LibreOffice and
// poppler's pdftoppm. It is a real workbook, of the sample with faults.
func TestPicture(t *testing.T) {
	if os.Getenv("LEADLOAD_PICTURE") == "" {
		t.Skip("LEADLOAD_PICTURE is not set")
	}
	target, err := filepath.Abs("help/results.png")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	t.Chdir(dir)
	writeSample(t, "opportunities/faults.csv", "deals.csv")
	writeSample(t, "opportunities/deals.yaml", "deals.yaml")
	var out, errs bytes.Buffer
	if code := Main(t.Context(), []string{"import", "deals.csv", "-m", "deals.yaml"}, strings.NewReader(""), &out, &errs, practiceEnv(t, dir)); code != fault.Person.Exit() {
		t.Fatalf("exit code %d: %s", code, errs.String())
	}
	book, err := excelize.OpenFile("deals-results.xlsx")
	if err != nil {
		t.Fatal(err)
	}
	defer book.Close()
	index, err := book.GetSheetIndex("Failed")
	if err != nil || index < 0 {
		t.Fatalf("sheet Failed: %d, %v", index, err)
	}
	book.SetActiveSheet(index)
	for _, name := range book.GetSheetList() {
		if name != "Failed" {
			if err := book.DeleteSheet(name); err != nil {
				t.Fatal(err)
			}
		}
	}
	// One wide page, as on a screen.
	landscape, paper, one := "landscape", 8, 1 // A3
	fit := true
	zero := 0.2
	for _, err := range []error{
		book.SetPageLayout("Failed", &excelize.PageLayoutOptions{Orientation: &landscape, Size: &paper, FitToWidth: &one, FitToHeight: &one}),
		book.SetSheetProps("Failed", &excelize.SheetPropsOptions{FitToPage: &fit}),
		book.SetPageMargins("Failed", &excelize.PageLayoutMarginsOptions{Left: &zero, Right: &zero, Top: &zero, Bottom: &zero}),
		book.SetHeaderFooter("Failed", nil),
		book.SaveAs("picture.xlsx"),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, command := range [][]string{
		{"soffice", "-env:UserInstallation=file://" + filepath.ToSlash(dir) + "/office", "--headless", "--convert-to", "pdf", "picture.xlsx"},
		{"pdftoppm", "-png", "-r", "150", "-singlefile", "picture.pdf", "picture"},
	} {
		if text, err := exec.CommandContext(t.Context(), command[0], command[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", command[0], err, text)
		}
	}
	crop(t, "picture.png", target)
}

// pictureWidth is how much of the sheet a picture shows, from the left.
const pictureWidth = 1366

// crop writes the part of a picture that is not blank.
func crop(t *testing.T, from, to string) {
	t.Helper()
	text, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	whole, err := png.Decode(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	bounds := whole.Bounds()
	used := image.Rectangle{Min: bounds.Max, Max: bounds.Min}
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			if r, g, b, _ := whole.At(x, y).RGBA(); r+g+b < 3*0xf000 {
				used = image.Rect(min(used.Min.X, x), min(used.Min.Y, y), max(used.Max.X, x+1), max(used.Max.Y, y+1))
			}
		}
	}
	// Few colours keep the file small.
	small := image.NewPaletted(image.Rect(0, 0, min(used.Dx(), pictureWidth), used.Dy()), palette.WebSafe)
	draw.Draw(small, small.Bounds(), whole, used.Min, draw.Src)
	var out bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&out, small); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, out.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}
