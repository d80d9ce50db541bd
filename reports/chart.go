package reports

import (
	"encoding/xml"
	"fmt"
	"strings"

	"github.com/xuri/excelize/v2"

	"leadload/loader/ledger"
)

// chart draws the rows by result as bars beside their table, as high as so
// many rows of the sheet.
//
// excelize places the chart. What it draws has one colour for all bars, and
// elements in an order that the schema does not have, so the drawing itself is
// replaced by our own.
func (o *overview) chart(shown []ledger.Result, t *tally, rows int) {
	names := fmt.Sprintf("%s!$D$5:$D$%d", titleSummary, 4+len(shown))
	values := fmt.Sprintf("%s!$E$5:$E$%d", titleSummary, 4+len(shown))
	o.do(o.f.AddChart(titleSummary, "H4", &excelize.Chart{
		Type:      excelize.Bar,
		Series:    []excelize.ChartSeries{{Name: titleSummary + "!$E$4", Categories: names, Values: values}},
		Dimension: excelize.ChartDimension{Width: 466, Height: uint(rows * rowPixels)},
		Format:    excelize.GraphicOptions{AltText: "Bar chart of the rows by result, as in the table beside it"},
	}))
	const part = "xl/charts/chart1.xml"
	if _, ok := o.f.Pkg.Load(part); o.err == nil && ok {
		o.f.Pkg.Store(part, barChart(names, values, shown, t))
	}
}

// rowPixels is the height of a row of the sheet in pixels, in the program
// that draws the lowest rows.
const rowPixels = 19

// barChart returns a chart part of one series: horizontal bars, one colour
// each, their values beside them. The values are in it as well as in the
// cells, for programs that show a file without calculating it.
func barChart(names, values string, shown []ledger.Result, t *tally) []byte {
	var b strings.Builder
	esc := func(s string) string {
		var e strings.Builder
		xml.EscapeText(&e, []byte(s)) // a strings.Builder takes everything
		return e.String()
	}
	const ink = `<a:solidFill><a:srgbClr val="404040"/></a:solidFill>`
	words := func(size int, bold string) string {
		return fmt.Sprintf(`<c:txPr><a:bodyPr/><a:lstStyle/><a:p><a:pPr><a:defRPr sz="%d" b="%s">%s</a:defRPr></a:pPr><a:endParaRPr lang="en-US"/></a:p></c:txPr>`, size, bold, ink)
	}
	const noLine = `<c:spPr><a:ln><a:noFill/></a:ln></c:spPr>`
	b.WriteString(xml.Header)
	b.WriteString(`<c:chartSpace xmlns:c="http://schemas.openxmlformats.org/drawingml/2006/chart" xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">`)
	b.WriteString(`<c:roundedCorners val="0"/><c:chart><c:title><c:tx><c:rich><a:bodyPr/><a:lstStyle/><a:p><a:pPr><a:defRPr sz="1100" b="1">` + ink + `</a:defRPr></a:pPr>` +
		`<a:r><a:rPr lang="en-US" sz="1100" b="1">` + ink + `</a:rPr><a:t>Rows by result</a:t></a:r></a:p></c:rich></c:tx><c:overlay val="0"/></c:title><c:autoTitleDeleted val="0"/>`)
	b.WriteString(`<c:plotArea><c:layout/><c:barChart><c:barDir val="bar"/><c:grouping val="clustered"/><c:varyColors val="0"/><c:ser><c:idx val="0"/><c:order val="0"/>`)
	fmt.Fprintf(&b, `<c:tx><c:strRef><c:f>%s!$E$4</c:f><c:strCache><c:ptCount val="1"/><c:pt idx="0"><c:v>Rows</c:v></c:pt></c:strCache></c:strRef></c:tx>`, titleSummary)
	fmt.Fprintf(&b, `<c:spPr><a:solidFill><a:srgbClr val="%s"/></a:solidFill></c:spPr><c:invertIfNegative val="0"/>`, looks[shown[0]].bar)
	for i, r := range shown {
		fmt.Fprintf(&b, `<c:dPt><c:idx val="%d"/><c:invertIfNegative val="0"/><c:bubble3D val="0"/><c:spPr><a:solidFill><a:srgbClr val="%s"/></a:solidFill></c:spPr></c:dPt>`, i, looks[r].bar)
	}
	b.WriteString(`<c:dLbls><c:numFmt formatCode="#,##0" sourceLinked="0"/><c:spPr><a:noFill/><a:ln><a:noFill/></a:ln></c:spPr>` + words(900, "0") +
		`<c:dLblPos val="outEnd"/><c:showLegendKey val="0"/><c:showVal val="1"/><c:showCatName val="0"/><c:showSerName val="0"/><c:showPercent val="0"/><c:showBubbleSize val="0"/></c:dLbls>`)
	fmt.Fprintf(&b, `<c:cat><c:strRef><c:f>%s</c:f><c:strCache><c:ptCount val="%d"/>`, names, len(shown))
	for i, r := range shown {
		fmt.Fprintf(&b, `<c:pt idx="%d"><c:v>%s</c:v></c:pt>`, i, esc(r.String()))
	}
	fmt.Fprintf(&b, `</c:strCache></c:strRef></c:cat><c:val><c:numRef><c:f>%s</c:f><c:numCache><c:formatCode>#,##0</c:formatCode><c:ptCount val="%d"/>`, values, len(shown))
	for i, r := range shown {
		fmt.Fprintf(&b, `<c:pt idx="%d"><c:v>%d</c:v></c:pt>`, i, t.totals[r])
	}
	b.WriteString(`</c:numCache></c:numRef></c:val></c:ser><c:gapWidth val="45"/><c:axId val="111111111"/><c:axId val="222222222"/></c:barChart>`)
	b.WriteString(`<c:catAx><c:axId val="111111111"/><c:scaling><c:orientation val="maxMin"/></c:scaling><c:delete val="0"/><c:axPos val="l"/><c:numFmt formatCode="General" sourceLinked="0"/>` +
		`<c:majorTickMark val="none"/><c:minorTickMark val="none"/><c:tickLblPos val="low"/>` + noLine + words(900, "0") + `<c:crossAx val="222222222"/><c:crosses val="autoZero"/><c:auto val="1"/><c:lblAlgn val="ctr"/><c:lblOffset val="100"/><c:noMultiLvlLbl val="0"/></c:catAx>`)
	b.WriteString(`<c:valAx><c:axId val="222222222"/><c:scaling><c:orientation val="minMax"/><c:min val="0"/></c:scaling><c:delete val="1"/><c:axPos val="t"/><c:numFmt formatCode="#,##0" sourceLinked="0"/>` +
		`<c:majorTickMark val="none"/><c:minorTickMark val="none"/><c:tickLblPos val="nextTo"/><c:crossAx val="111111111"/><c:crosses val="autoZero"/><c:crossBetween val="between"/></c:valAx>`)
	b.WriteString(noLine + `</c:plotArea><c:plotVisOnly val="1"/><c:dispBlanksAs val="gap"/></c:chart><c:spPr><a:solidFill><a:srgbClr val="FFFFFF"/></a:solidFill><a:ln w="9525"><a:solidFill><a:srgbClr val="D9D9D9"/></a:solidFill></a:ln></c:spPr></c:chartSpace>`)
	return []byte(b.String())
}
