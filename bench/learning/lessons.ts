import { chooseFrom, weighed, type Candidate, type SliceChoice } from '../../src/backend/training/choosing.ts'
import type { TrueSlice, TrueVolume } from './hippocampi.ts'
import type { Lesson } from './workshop.ts'

/** A slice of which the annotator has said what is true. */
export interface Place {
  readonly caseId: string
  readonly slice: TrueSlice
}

export function placesOf(volumes: readonly TrueVolume[]): Place[] {
  return volumes.flatMap(({ id, slices }) => slices.map((slice): Place => ({ caseId: id, slice })))
}

export function showsLabel({ slice }: Place): boolean {
  return slice.labels.some((label) => label > 0)
}

/**
 * What the program's next training learns from: the slices that are new, and of those that the parent knows the replay that
 * the program draws, with its weights. Both lists the oldest first.
 */
export function lessonsFor(fresh: readonly Place[], known: readonly Place[], seed: number): Lesson[] {
  const places = [...known, ...fresh]
  const largest = Math.max(1, ...places.map(({ slice }) => slice.width * slice.height))
  const newest = candidatesOf(places, known.length).reverse()
  return taught(places, chooseFrom(newest, largest, { seed }))
}

/** All of them, for a model from scratch; weighed as the program does. */
export function lessonsOfAll(places: readonly Place[]): Lesson[] {
  return taught(places, weighed(candidatesOf(places, 0), 'corrected'))
}

function candidatesOf(places: readonly Place[], known: number): Candidate[] {
  return places.map(({ caseId, slice }, at) => ({
    ...{ caseId, slice: slice.index, changedSeq: at + 1, whole: true, known: at < known, learned: at < known },
    labels: [...new Set(slice.labels)].filter((label) => label > 0).sort((a, b) => a - b),
  }))
}

/** `changedSeq` of a choice is the place's number, from 1. */
function taught(places: readonly Place[], choices: readonly SliceChoice[]): Lesson[] {
  return choices.map(({ changedSeq, role, weight }) => {
    const place = places[changedSeq - 1]
    if (place === undefined) throw new Error('Only slices that were offered are chosen.')
    return { ...place.slice, role, weight }
  })
}
