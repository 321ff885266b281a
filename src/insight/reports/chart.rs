//! The chart of a report: a bar for each key, or for each group the keys on top of each other.

use charts_rs::{BarChart, ChartBase, HorizontalBarChart, Series};

use super::json::{ConversionRow, DurationRow, ReportRow};
use crate::kernel::error::{Result, ResultExt};

const WIDTH: f32 = 900.0;

/// A number as a chart needs it.
pub trait Charted {
    fn row(&self) -> &ReportRow;
    fn value(&self) -> f32;
    /// What the values are.
    const UNIT: &'static str;
}

#[expect(clippy::cast_precision_loss, reason = "a pixel is coarser")]
const fn rounded(number: i64) -> f32 {
    number as f32
}

impl Charted for ReportRow {
    const UNIT: &'static str = "";

    fn row(&self) -> &ReportRow {
        self
    }

    fn value(&self) -> f32 {
        rounded(self.count)
    }
}

impl Charted for DurationRow {
    const UNIT: &'static str = ", hours on average";

    fn row(&self) -> &ReportRow {
        &self.row
    }

    fn value(&self) -> f32 {
        rounded(self.average_seconds.unwrap_or_default() / 36) / 100.0
    }
}

impl Charted for ConversionRow {
    const UNIT: &'static str = ", per cent";

    fn row(&self) -> &ReportRow {
        &self.row
    }

    fn value(&self) -> f32 {
        if self.row.count > 0 { rounded(self.sold * 1000 / self.row.count) / 10.0 } else { 0.0 }
    }
}

/// An SVG of the numbers; `totals` are the groups in their order.
pub fn draw<R: Charted>(title: &str, rows: &[R], totals: &[R]) -> Result<String> {
    let title = format!("{title}{}", R::UNIT);
    let label = |row: &ReportRow| row.label.clone().or_else(|| row.key.clone()).unwrap_or_default();
    let svg = if totals.is_empty() {
        let labels: Vec<String> = rows.iter().map(|number| label(number.row())).collect();
        let values = rows.iter().map(Charted::value).collect();
        let mut chart = HorizontalBarChart::new(vec![shown(Series::new(title.clone(), values))], labels);
        chart.legend.show = Some(false);
        set_up(&mut chart.base, title, rounded(i64::try_from(rows.len()).unwrap_or(0)).mul_add(28.0, 120.0));
        chart.svg()
    } else {
        let groups: Vec<Option<&String>> = totals.iter().map(|total| total.row().group.as_ref()).collect();
        let labels = totals.iter().map(|total| total.row().group_label.clone().unwrap_or_default()).collect();
        let mut series: Vec<Series> = Vec::new();
        let mut keys = Vec::new();
        for number in rows {
            let row = number.row();
            let key = (row.kind, &row.key);
            let place = keys.iter().position(|known| *known == key).unwrap_or_else(|| {
                keys.push(key);
                let mut one = Series::new(label(row), vec![0.0; groups.len()]);
                one.stack = Some("all".to_owned());
                series.push(one);
                series.len() - 1
            });
            if let Some(group) = groups.iter().position(|group| *group == row.group.as_ref()) {
                series[place].data[group] = Some(number.value());
            }
        }
        let mut chart = BarChart::new(series, labels);
        set_up(&mut chart.base, title, 480.0);
        chart.svg()
    };
    svg.internal()
}

fn shown(mut series: Series) -> Series {
    series.label_show = true;
    series
}

fn set_up(chart: &mut ChartBase, title: String, height: f32) {
    chart.title.text = title;
    chart.width = WIDTH;
    chart.height = height;
    chart.empty_text = Some("Nothing in this time".to_owned());
}
