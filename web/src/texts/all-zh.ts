type Texts = Record<string, string>

// Every text of the house in this language: the modules' (read by Go too), their pages' and the shell's.
const files: Record<string, Texts> = {
  ...import.meta.glob<Texts>('../../../platform/*/texts/zh.json', { eager: true, import: 'default' }),
  ...import.meta.glob<Texts>('../../../modules/*/texts/zh.json', { eager: true, import: 'default' }),
  ...import.meta.glob<Texts>('../../../modules/*/ui/texts/zh.json', { eager: true, import: 'default' }),
  ...import.meta.glob<Texts>('./zh.json', { eager: true, import: 'default' }),
}

export default Object.assign({}, ...Object.values(files)) as Texts
