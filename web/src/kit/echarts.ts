import { BarChart, GaugeChart, HeatmapChart, LineChart, PieChart } from 'echarts/charts'
import { DataZoomComponent, GridComponent, LegendComponent, MarkAreaComponent, MarkLineComponent, TooltipComponent, VisualMapComponent } from 'echarts/components'
import * as core from 'echarts/core'
import { CanvasRenderer } from 'echarts/renderers'

core.use([BarChart, GaugeChart, HeatmapChart, LineChart, PieChart, DataZoomComponent, GridComponent, LegendComponent, MarkAreaComponent, MarkLineComponent, TooltipComponent, VisualMapComponent, CanvasRenderer])

/** init makes a chart; only the parts named above are in the bundle. */
export const init = core.init

/** themeOf reads the colours in force out of the CSS variables. */
export function themeOf(): object {
  const css = getComputedStyle(document.documentElement)
  const v = (name: string) => css.getPropertyValue(name).trim()
  const axis = {
    axisLine: { lineStyle: { color: v('--k-line-strong') } },
    axisTick: { show: false },
    axisLabel: { color: v('--k-ink-2') },
    splitLine: { lineStyle: { color: v('--k-line') } },
  }
  return {
    color: [v('--k-talking'), v('--k-ready'), v('--k-wrapup'), v('--k-ringing'), v('--k-held'), v('--k-brand'), v('--k-away')],
    backgroundColor: 'transparent',
    textStyle: { fontFamily: v('--k-font'), color: v('--k-ink') },
    animationDuration: 150,
    animation: !matchMedia('(prefers-reduced-motion: reduce)').matches,
    categoryAxis: axis, valueAxis: axis, timeAxis: axis,
    legend: { textStyle: { color: v('--k-ink-2') } },
    tooltip: { backgroundColor: v('--k-surface'), borderColor: v('--k-line'), textStyle: { color: v('--k-ink') }, confine: true },
    line: { symbolSize: 5, lineStyle: { width: 2 }, markLine: { label: { color: v('--k-ink-2'), textBorderWidth: 0, textBorderColor: 'transparent' } } },
    grid: { left: 48, right: 16, top: 24, bottom: 32 },
  }
}
